/** Exit codes of the command line; part of the contract. */
export const exitCodes = {
  reached: 0,
  usage: 1,
  rolledBack: 2,
  paused: 3,
  needsPerson: 4,
  busy: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Something that stopped, as data: `say` makes one message of it. No member ends with a period. */
export interface Explanation {
  readonly happened: string;
  /** The state that things are in. */
  readonly state?: string;
  /** Work outside of Handover that comes before the next command. */
  readonly first?: string;
  /** The one command to type next; see `toType`. */
  readonly next?: string;
  /** Other ways, where a person has the choice: their purpose, and the command. */
  readonly or?: readonly { readonly to: string; readonly type: string }[];
}

export type CommandName =
  | "upgrade"
  | "plan"
  | "status"
  | "resume"
  | "rollback"
  | "approve"
  | "abort"
  | "history"
  | "report"
  | "doctor";

/** A command for a person to type: the only place where one is put together. */
export function toType(command: CommandName, stack: string, ...options: readonly string[]): string {
  return ["handover", command, "--stack", stack, ...options].join(" ");
}

/** One message: "The engine died. Nothing was taken back. Next: `handover resume --stack production`". */
export function say({ happened, state, first, next, or = [] }: Explanation): string {
  const orders = [first, ...(next === undefined ? [] : [`Next: \`${next}\``])];
  const ways = or.map(({ to, type }) => `To ${to}: \`${type}\``);
  return [happened, state, ...orders, ...ways]
    .filter((part) => part !== undefined && part !== "")
    .map((part) => part?.replace(/\.$/, ""))
    .join(". ");
}

/**
 * Something that went wrong: its message says what happened, in what state things are now and what to type next; its
 * stable `code` is for programs. Inside a run an error says only what happened: the run's end says the rest.
 */
export class HandoverError extends Error {
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly explanation: Explanation;

  constructor(code: string, exitCode: ExitCode, explanation: string | Explanation, options?: ErrorOptions) {
    const whole = typeof explanation === "string" ? { happened: explanation } : explanation;
    super(typeof explanation === "string" ? explanation : say(explanation), options);
    this.name = "HandoverError";
    this.code = code;
    this.exitCode = exitCode;
    this.explanation = whole;
  }
}

/** Ctrl-C or SIGTERM. Safe to resume. */
export class InterruptedError extends HandoverError {
  constructor(signal: string, more: Omit<Explanation, "happened">) {
    super("interrupted", exitCodes.interrupted, { happened: `Interrupted by ${signal}`, ...more });
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An error's explanation; of one that is not ours, its message. */
export function explanationOf(error: unknown): Explanation {
  return error instanceof HandoverError ? error.explanation : { happened: messageOf(error) };
}

/** Whether this machine's disk is full: no evidence against the new servers. */
export function isFullDisk(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOSPC";
}
