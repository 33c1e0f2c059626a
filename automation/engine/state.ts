import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError, type Stack } from "@pulumi/pulumi/automation/index.js";
import { type LastOutputs, parseOutputs } from "../../stacks/outputs.ts";
import { NotSeenError, notSeenInText, remedies } from "../cloud/not-seen.ts";
import { exitCodes, HandoverError, messageOf } from "../errors.ts";
import type { BriefCommand } from "./brief-command.ts";
import type { Deployment } from "./deployment.ts";
import { lastLine } from "./recorder.ts";
import type { Encryption } from "./stack-file.ts";

/** A stack's state in the backend. */
export class State {
  readonly #stack: Stack;
  readonly #command: BriefCommand;
  readonly #directory: string;
  /** The state as last read. */
  #seen: Deployment = {};

  constructor(stack: Stack, command: BriefCommand, directory: string) {
    this.#stack = stack;
    this.#command = command;
    this.#directory = directory;
  }

  /** The outputs of the last update; undefined when there was none. */
  async outputs(): Promise<LastOutputs | undefined> {
    this.#seen = await this.export();
    return parseOutputs(revealSecrets(this.#stackResource?.outputs ?? {}));
  }

  /** Whether an engine was at work, or was killed at it, when the outputs were read. */
  get interrupted(): boolean {
    return (this.#seen.pending_operations ?? []).length > 0;
  }

  /** Undefined as long as nothing was deployed. */
  get stackUrn(): string | undefined {
    return this.#stackResource?.urn;
  }

  /** The encryption of its secrets; undefined as long as nothing was deployed. */
  get encryption(): Encryption | undefined {
    return this.#seen.secrets_providers?.state;
  }

  get #stackResource() {
    return this.#seen.resources?.find(({ type }) => type === "pulumi:pulumi:Stack");
  }

  /** The whole state, with secrets in plain text. */
  async export(): Promise<Deployment> {
    return (await wrapEngineError(this.#stack.exportStack())).deployment as Deployment;
  }

  async import(deployment: Deployment): Promise<void> {
    const { version } = await wrapEngineError(this.#stack.exportStack());
    await this.#import(this.#newFile(JSON.stringify({ version, deployment })));
  }

  /** Gives another stack this state; what is secret in it stays encrypted as it is. */
  async copyTo(other: State): Promise<void> {
    const file = this.#newFile("");
    await this.#pulumi("stack", "export", "--file", file);
    await other.#import(file);
  }

  /** The Automation API would write the state, with its secrets in plain text, where others may read it. */
  async #import(file: string): Promise<void> {
    try {
      await this.#pulumi("stack", "import", "--file", file);
    } finally {
      rmSync(file);
    }
  }

  #newFile(text: string): string {
    const file = join(this.#directory, "state.json");
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  }

  async #pulumi(...args: string[]): Promise<void> {
    const { name, workspace } = this.#stack;
    await wrapEngineError(this.#command.run([...args, "--stack", name], this.#directory, workspace.envVars));
  }
}

/** @throws HandoverError (exit 4) with what the engine said, for example of a passphrase that is not the stack's */
async function wrapEngineError<T>(work: Promise<T>): Promise<T> {
  return work.catch((cause) => {
    if (!(cause instanceof CommandError)) throw cause;
    const notSeen = notSeenInText(messageOf(cause));
    if (notSeen !== undefined) {
      const happened = `The engine could not read or write the stack's state: ${lastLine(cause)}`;
      throw new NotSeenError(notSeen, { happened, first: remedies[notSeen] }, { cause });
    }
    throw new HandoverError(
      "engine-failed",
      exitCodes.needsPerson,
      `The engine could not read or write the stack's state: ${lastLine(cause)}. The cloud was not changed by that. Mend the cause, then run the same command again.`,
      { cause },
    );
  });
}

/** Secret values in a state that was exported in plain text. */
function revealSecrets(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const secret = typeof value === "object" && value !== null && "plaintext" in value ? value.plaintext : undefined;
      return [name, typeof secret === "string" ? JSON.parse(secret) : value];
    }),
  );
}
