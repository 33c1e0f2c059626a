import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CancelCommandCommand,
  type CommandInvocation,
  GetCommandInvocationCommand,
  type GetCommandInvocationResult,
  paginateDescribeInstanceInformation,
  paginateGetParametersByPath,
  paginateListCommandInvocations,
  SendCommandCommand,
  SSMClient,
} from "@aws-sdk/client-ssm";
import type { Parameter, Parameters } from "../../stacks/parameters.ts";
import type { Access } from "./access.ts";
import { chunks } from "./chunks.ts";
import { clientSettings } from "./client-settings.ts";

/** A document to run on instances. */
export interface Document {
  readonly name: string;
  readonly parameters: Readonly<Record<string, readonly string[]>>;
  /** Time limit on each instance, from its start to its end. */
  readonly timeoutSeconds: number;
  /** Longest time between two looks whether it has ended, in seconds. Default: 2. */
  readonly everySeconds?: number;
  /** Longest time that Systems Manager may take for an answer, retries included. Default: as long as these take. */
  readonly answerSeconds?: number;
}

/** A document's end on an instance, in the words of Systems Manager: `Success`, `Failed`, `TimedOut`, … */
export interface Invocation {
  readonly status: string;
  /** -1 while there is none. */
  readonly exitCode: number;
  /** Standard output, then standard error; AWS keeps the first 24,000 and 8,000 characters. */
  readonly output: string;
}

/** SendCommand takes no more instances: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html */
const instancesPerCommand = 50;
/** SendCommand takes no less than this for the delivery, in seconds. */
const shortestDelivery = 30;

/** Time in which Systems Manager must say which servers it reaches, in seconds: a run goes on without. */
const longestLook = 15;

interface Looks extends Pick<Document, "answerSeconds"> {
  readonly everySeconds: number;
  readonly deadline: number;
}

/** Commands on instances and parameters, by AWS Systems Manager. */
export class SystemsManager {
  readonly #client: SSMClient;

  constructor(access: Access) {
    this.#client = new SSMClient(clientSettings(access, "ssm"));
  }

  /**
   * Runs a document on every instance and waits for its end on each.
   * @throws an error named InvalidInstanceId when one of them is not managed, or not yet
   */
  async run(
    document: Document,
    instanceIds: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Invocation>> {
    const batches = chunks(instanceIds, instancesPerCommand);
    return new Map((await Promise.all(batches.map((batch) => this.#runBatch(document, batch, signal)))).flat());
  }

  async #runBatch(
    document: Document,
    instanceIds: readonly string[],
    abortSignal: AbortSignal,
  ): Promise<[string, Invocation][]> {
    return this.#under(document, instanceIds, abortSignal, (commandId, looks) =>
      Promise.all(
        instanceIds.map(async (id): Promise<[string, Invocation]> => {
          return [id, await this.#endOf(commandId, id, looks, abortSignal)];
        }),
      ),
    );
  }

  /**
   * Runs a document that says little on many instances, with one command: all of them are asked about in one call.
   * @param ended is told of each as soon as it has ended, and may work on. One that is not managed, or of which nothing is
   * known in time, has an end as well: `InvalidInstanceId`, `TimedOut`
   * @throws what `ended` throws, once all is over, or why nothing more is known
   */
  async runOnEach(
    document: Document,
    instanceIds: readonly string[],
    signal: AbortSignal,
    ended: (id: string, end: Invocation) => Promise<void>,
  ): Promise<void> {
    const batches = chunks(instanceIds, instancesPerCommand);
    await allOf(batches.map((batch) => this.#runOnBatch(document, batch, signal, ended)));
  }

  async #runOnBatch(
    document: Document,
    instanceIds: readonly string[],
    signal: AbortSignal,
    ended: (id: string, end: Invocation) => Promise<void>,
  ): Promise<void> {
    const working: Promise<void>[] = [];
    try {
      await this.#under(document, instanceIds, signal, async (commandId, looks) => {
        const ends: [string, Invocation][] = [];
        for await (const end of this.#endsOf(commandId, instanceIds, looks, signal)) {
          ends.push(end);
          const work = ended(...end);
          // It is waited for below.
          work.catch(() => undefined);
          working.push(work);
        }
        return ends;
      });
    } catch (error) {
      if (!(error instanceof Error && error.name === "InvalidInstanceId")) throw error;
      const [only = "", ...others] = instanceIds;
      // AWS does not say which it was, and has begun on none.
      if (others.length > 0) await allOf(instanceIds.map((id) => this.#runOnBatch(document, [id], signal, ended)));
      else await ended(only, { status: error.name, exitCode: -1, output: error.message });
    } finally {
      await allOf(working);
    }
  }

  /** Runs a document, looks for its ends, and takes back what has not ended. */
  async #under(
    { name, parameters, timeoutSeconds, everySeconds = 2, answerSeconds }: Document,
    instanceIds: readonly string[],
    abortSignal: AbortSignal,
    look: (commandId: string, looks: Looks) => Promise<[string, Invocation][]>,
  ): Promise<[string, Invocation][]> {
    const looks = { everySeconds, answerSeconds, deadline: performance.now() + timeoutSeconds * 1000 };
    const command = new SendCommandCommand({
      DocumentName: name,
      InstanceIds: [...instanceIds],
      Parameters: Object.fromEntries(Object.entries(parameters).map(([key, values]) => [key, [...values]])),
      TimeoutSeconds: Math.max(timeoutSeconds, shortestDelivery),
    });
    const sent = (limit: AbortSignal) => this.#client.send(command, { abortSignal: limit });
    const { Command } = await answered(sent, answerSeconds, abortSignal);
    const commandId = Command?.CommandId ?? "";
    let isOver = false;
    try {
      const ends = await look(commandId, looks);
      isOver = ends.every(([, { status }]) => status !== "TimedOut");
      return ends;
    } finally {
      // What has ended stays as it is; what has not is not waited for any more, and must not begin later.
      const cancel = (limit: AbortSignal) =>
        this.#client.send(new CancelCommandCommand({ CommandId: commandId }), { abortSignal: limit });
      if (!isOver) await answered(cancel, answerSeconds, new AbortController().signal).catch(() => undefined);
    }
  }

  /** The ends on many instances as they come: each look is one call. */
  async *#endsOf(
    CommandId: string,
    instanceIds: readonly string[],
    { everySeconds, answerSeconds, deadline }: Looks,
    signal: AbortSignal,
  ): AsyncGenerator<[string, Invocation]> {
    const left = new Set(instanceIds);
    for (let interval = 100; ; interval = Math.min(interval * 1.5, everySeconds * 1000)) {
      const found = await answered((limit) => this.#invocations(CommandId, limit), answerSeconds, signal);
      for (const each of found) {
        const { InstanceId = "", Status = "Pending" } = each;
        if (isUnderWay(Status) || !left.delete(InstanceId)) continue;
        yield [InstanceId, describeBriefly(each)];
      }
      if (left.size === 0) return;
      if (performance.now() + interval > deadline) break;
      await sleep(interval, undefined, { signal });
    }
    for (const id of left) yield [id, describe("TimedOut", undefined)];
  }

  async #invocations(CommandId: string, abortSignal: AbortSignal): Promise<CommandInvocation[]> {
    const found: CommandInvocation[] = [];
    const pages = paginateListCommandInvocations(
      { client: this.#client },
      { CommandId, Details: true },
      { abortSignal },
    );
    for await (const { CommandInvocations = [] } of pages) found.push(...CommandInvocations);
    return found;
  }

  async #endOf(
    CommandId: string,
    InstanceId: string,
    { everySeconds, answerSeconds, deadline }: Looks,
    signal: AbortSignal,
  ): Promise<Invocation> {
    for (let interval = 100; ; interval = Math.min(interval * 1.5, everySeconds * 1000)) {
      const look = (limit: AbortSignal) => this.#invocation(CommandId, InstanceId, limit);
      const found = await answered(look, answerSeconds, signal);
      const status = found?.Status ?? "Pending";
      const ended = !isUnderWay(status);
      if (ended || performance.now() + interval > deadline) return describe(ended ? status : "TimedOut", found);
      await sleep(interval, undefined, { signal });
    }
  }

  /** Undefined while AWS does not know of it yet. */
  async #invocation(
    CommandId: string,
    InstanceId: string,
    abortSignal: AbortSignal,
  ): Promise<GetCommandInvocationResult | undefined> {
    try {
      return await this.#client.send(new GetCommandInvocationCommand({ CommandId, InstanceId }), { abortSignal });
    } catch (error) {
      if (error instanceof Error && error.name === "InvocationDoesNotExist") return undefined;
      throw error;
    }
  }

  /** Why documents cannot be run on instances, by id; one that is reached is missing. */
  async unreached(instanceIds: readonly string[], signal = new AbortController().signal): Promise<Map<string, string>> {
    return answered((limit) => this.#unreached(instanceIds, limit), longestLook, signal);
  }

  async #unreached(instanceIds: readonly string[], abortSignal: AbortSignal): Promise<Map<string, string>> {
    const found = new Map<string, { readonly PingStatus?: string; readonly PlatformType?: string }>();
    for (let index = 0; index < instanceIds.length; index += instancesPerCommand) {
      const Values = instanceIds.slice(index, index + instancesPerCommand);
      const input = { Filters: [{ Key: "InstanceIds", Values }] };
      for await (const page of paginateDescribeInstanceInformation({ client: this.#client }, input, { abortSignal }))
        for (const each of page.InstanceInformationList ?? []) found.set(each.InstanceId ?? "", each);
    }
    return new Map(
      instanceIds.flatMap((id): [string, string][] => {
        const { PingStatus, PlatformType } = found.get(id) ?? {};
        if (PingStatus === undefined) return [[id, "no agent of it has registered"]];
        if (PingStatus !== "Online") return [[id, `its agent is ${PingStatus}`]];
        return PlatformType === undefined || PlatformType === "Linux" ? [] : [[id, `it runs ${PlatformType}`]];
      }),
    );
  }

  /** The parameters right under a path, by the last part of their name, decrypted. */
  async parametersUnder(path: string, abortSignal?: AbortSignal): Promise<Parameters> {
    const found: Record<string, Parameter> = {};
    const input = { Path: path, WithDecryption: true };
    for await (const page of paginateGetParametersByPath({ client: this.#client }, input, { abortSignal })) {
      for (const { Name = "", Value = "", Type } of page.Parameters ?? [])
        found[Name.split("/").at(-1) ?? ""] = { value: Value, secret: Type === "SecureString" };
    }
    return found;
  }

  close(): void {
    this.#client.destroy();
  }
}

/** @throws an error of its own when there is no answer in time: the SDK may be waiting for its next attempt */
async function answered<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  seconds: number | undefined,
  signal: AbortSignal,
): Promise<T> {
  if (seconds === undefined) return ask(signal);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)]);
  const over = once(limit, "abort").then(() => {
    signal.throwIfAborted();
    throw new Error(`Systems Manager did not answer within ${seconds} s`);
  });
  return Promise.race([ask(limit), over]);
}

/** Waits for all, whatever becomes of one. @throws the first that went wrong */
async function allOf(works: readonly Promise<void>[]): Promise<void> {
  for (const end of await Promise.allSettled(works)) if (end.status === "rejected") throw end.reason;
}

function isUnderWay(status: string): boolean {
  return ["Pending", "InProgress", "Delayed", "Cancelling"].includes(status);
}

/** Of each step AWS keeps the first 2,500 characters here, standard error behind a line of its own. */
function describeBriefly({ Status: status = "Pending", CommandPlugins = [] }: CommandInvocation): Invocation {
  const { ResponseCode: exitCode = -1 } = CommandPlugins.at(-1) ?? {};
  return { status, exitCode, output: CommandPlugins.map(({ Output = "" }) => Output).join("\n") };
}

function describe(status: string, found: GetCommandInvocationResult | undefined): Invocation {
  const output = [found?.StandardOutputContent, found?.StandardErrorContent].filter(Boolean).join("\n");
  return { status, exitCode: found?.ResponseCode ?? -1, output };
}
