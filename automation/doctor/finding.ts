import { messageOf } from "../errors.ts";

/** A finding of `handover doctor`. */
export interface Finding {
  readonly check: string;
  /** `skipped`: it could not be looked at, which is no problem by itself. */
  readonly result: "ok" | "problem" | "skipped";
  /** The observation; for a problem also its fix. */
  readonly message: string;
}

export const ok = (check: string, message: string): Finding => ({ check, result: "ok", message });
export const problem = (check: string, message: string): Finding => ({ check, result: "problem", message });
export const skipped = (check: string, message: string): Finding => ({ check, result: "skipped", message });

/** AWS's code of an error: `UnauthorizedOperation`, `AccessDenied`, … */
export function codeOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

/** EC2 says `UnauthorizedOperation`, the other services `AccessDenied` or `AccessDeniedException`. */
export function isDenied(error: unknown): boolean {
  return /^(UnauthorizedOperation|AccessDenied(Exception)?)$/.test(codeOf(error));
}

/** The first line of an error's message. */
export function reasonOf(error: unknown): string {
  return messageOf(error).split("\n")[0] ?? "";
}
