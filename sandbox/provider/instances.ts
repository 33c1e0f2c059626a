import { setTimeout as sleep } from "node:timers/promises";
import { type EC2Client, type Instance, paginateDescribeInstances } from "@aws-sdk/client-ec2";
import { pauses, type WaitOptions } from "./wait.ts";

interface Question {
  readonly id: string;
  readonly answer: (instance: Instance | undefined) => void;
  readonly fail: (error: unknown) => void;
}

/** Describes instances together: a hundred that are created at the same time are asked for in one call. */
export class Instances {
  readonly #client: EC2Client;
  #questions: Question[] = [];
  #waiting = 0;
  #tick: Promise<void> | undefined;

  constructor(client: EC2Client) {
    this.#client = client;
  }

  /** The instance, undefined if there is none. */
  describe(id: string): Promise<Instance | undefined> {
    return new Promise((answer, fail) => {
      this.#questions.push({ id, answer, fail });
      if (this.#questions.length === 1) setTimeout(() => void this.#ask(), 10);
    });
  }

  /** Polls, in step with all others that wait, until `ready` gives something. */
  async waitFor<T>(
    id: string,
    ready: (instance: Instance | undefined) => T | undefined,
    options: WaitOptions,
  ): Promise<T> {
    const deadline = Date.now() + options.timeoutSeconds * 1000;
    this.#waiting += 1;
    try {
      for (;;) {
        const result = ready(await this.describe(id));
        if (result !== undefined) return result;
        if (Date.now() > deadline) throw new Error(`Waited ${options.timeoutSeconds} s in vain for ${options.what}.`);
        options.signal.throwIfAborted();
        this.#tick ??= this.#nextTick();
        await this.#tick;
      }
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#pauses = pauses();
    }
  }

  #pauses = pauses();

  async #nextTick(): Promise<void> {
    await sleep(this.#pauses.next().value);
    this.#tick = undefined;
  }

  async #ask(): Promise<void> {
    const questions = this.#questions;
    this.#questions = [];
    const ids = [...new Set(questions.map(({ id }) => id))];
    // A filter takes 200 values.
    for (let start = 0; start < ids.length; start += 200) {
      const asked = ids.slice(start, start + 200);
      const concerned = questions.filter(({ id }) => asked.includes(id));
      try {
        const found = await this.#find(asked);
        for (const { id, answer } of concerned) answer(found.get(id));
      } catch (error) {
        for (const { fail } of concerned) fail(error);
      }
    }
  }

  /** By filter, because an id that does not exist (yet) would make the call fail for all. */
  async #find(ids: string[]): Promise<Map<string | undefined, Instance>> {
    const found = new Map<string | undefined, Instance>();
    const filters = [{ Name: "instance-id", Values: ids }];
    for await (const page of paginateDescribeInstances(
      { client: this.#client, pageSize: 1000 },
      { Filters: filters },
    )) {
      for (const { Instances: instances = [] } of page.Reservations ?? []) {
        for (const instance of instances) found.set(instance.InstanceId, instance);
      }
    }
    return found;
  }
}
