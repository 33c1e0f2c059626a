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

/**
 * What went wrong, in what state things are now and what to type next, in its message; a stable `code` for programs.
 */
export class HandoverError extends Error {
  readonly code: string;
  readonly exitCode: ExitCode;

  constructor(code: string, exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "HandoverError";
    this.code = code;
    this.exitCode = exitCode;
  }
}

/** Ctrl-C or SIGTERM. Safe to resume. */
export class InterruptedError extends HandoverError {
  constructor(
    signal: string,
    state = "The operation in hand was finished and nothing else was started. Go on with: handover resume",
  ) {
    super("interrupted", exitCodes.interrupted, `Interrupted by ${signal}. ${state}`);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether this machine's disk is full: no evidence against the new servers. */
export function isFullDisk(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOSPC";
}
