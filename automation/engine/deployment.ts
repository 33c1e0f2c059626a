import type { Encryption } from "./stack-file.ts";

/** The part of an exported deployment that recovery reads and repairs. */
export interface Deployment {
  resources?: StateResource[];
  pending_operations?: PendingOperation[];
  readonly secrets_providers?: { readonly state?: Encryption };
}

export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly custom?: boolean;
  readonly parent?: string;
  readonly provider?: string;
  readonly id?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** Properties that the program leaves to whoever changes them. */
  readonly ignoreChanges?: readonly string[];
  /** What went wrong after it was created: the state has it, perhaps without all that it became. */
  readonly initErrors?: readonly string[];
}

export interface PendingOperation {
  /** The engine's word: `creating`, … */
  readonly type: string;
  readonly resource: StateResource;
}
