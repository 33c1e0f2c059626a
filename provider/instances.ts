import { setTimeout as sleep } from "node:timers/promises";
import { type EC2Client, type Instance, paginateDescribeInstances } from "@aws-sdk/client-ec2";
import { type Batch, batch } from "./batch.ts";
import { pauses, type WaitOptions } from "./wait.ts";

/** Waits for instances together: a hundred that are created at the same time are asked for in one call. */
export class Instances {
  readonly #batch: Batch<Instance>;
  #waiting = 0;
  #pauses = pauses();
  #tick: Promise<void> | undefined;

  constructor(client: EC2Client) {
    this.#batch = batch((ids) => describe(client, ids));
  }

  /** Undefined when there is none. */
  describe(id: string): Promise<Instance | undefined> {
    return this.#batch.load(id);
  }

  /**
   * Polls, in step with all others that wait, until `ready` gives something.
   * @throws when the time is over or the signal fires
   */
  async waitFor<T>(
    id: string,
    ready: (instance: Instance | undefined) => T | undefined,
    options: WaitOptions,
  ): Promise<T> {
    const deadline = Date.now() + options.timeoutSeconds * 1000;
    this.#waiting += 1;
    // Whoever joins is not made to wait as long as those that have been waiting.
    this.#pauses = pauses();
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
    }
  }

  /** The more that wait, the more there is to answer in each poll. */
  async #nextTick(): Promise<void> {
    await sleep(Math.min(1000, this.#pauses.next().value + this.#waiting * 4));
    this.#tick = undefined;
  }
}

/** By filter, because an id that does not exist (yet) would make the call fail for all. */
async function describe(client: EC2Client, ids: string[]): Promise<Map<string | undefined, Instance>> {
  const found = new Map<string | undefined, Instance>();
  const Filters = [{ Name: "instance-id", Values: ids }];
  for await (const page of paginateDescribeInstances({ client, pageSize: 1000 }, { Filters })) {
    for (const { Instances: instances = [] } of page.Reservations ?? []) {
      for (const instance of instances) found.set(instance.InstanceId, instance);
    }
  }
  return found;
}
