import type { Properties } from "./values.ts";

interface ServiceError extends Error {
  readonly $metadata: { readonly requestId?: string };
}

/** The resource exists, but did not get ready: it goes into the state, and the next update goes on from there. */
export class NotReadyError extends Error {
  readonly id: string;
  readonly inputs: Properties;
  readonly state: Properties;

  constructor(resource: { id: string; inputs: Properties; state: Properties }, cause: unknown) {
    super(describeError(cause), { cause });
    this.name = "NotReadyError";
    this.id = resource.id;
    this.inputs = resource.inputs;
    this.state = resource.state;
  }
}

/** `AWS InvalidAMIID.NotFound: message (request id)` for what AWS says, else the message. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { $response: answer } = error as { $response?: { statusCode?: number } };
  if (!isServiceError(error)) {
    return answer?.statusCode === undefined ? error.message : `AWS answered ${answer.statusCode}: ${error.message}`;
  }
  const { requestId } = error.$metadata;
  return `AWS ${codeOf(error)}: ${error.message}${requestId === undefined ? "" : ` (request ${requestId})`}`;
}

export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { Code } = error as { Code?: unknown };
  return typeof Code === "string" ? Code : error.name;
}

/** Waits for `call`; an error with one of the codes gives undefined. */
export async function unless<T>(codes: readonly string[], call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (codes.includes(codeOf(error) ?? "")) return undefined;
    throw error;
  }
}

/** Tells whether AWS says that something is not there, which right after its creation means: not yet. */
export function isNotFound(error: unknown): boolean {
  return /NotFound(Exception|Fault)?$/.test(codeOf(error) ?? "");
}

function isServiceError(error: Error): error is ServiceError {
  return "$metadata" in error && "$fault" in error;
}
