/** One step of the engine on one resource. */
export interface Operation {
  /** The engine's word: `create`, `update`, `delete`, `create-replacement`, … */
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** Inputs that differ, for an update or a replacement; where none do, what the plugin computes by itself. */
  readonly properties: readonly string[];
}

/** What differs between a resource in the state and in the cloud: `update`, or `delete` where it is gone. */
export interface Drift extends Operation {
  /** The state's value and the cloud's, at each path; what is secret in them is masked. */
  readonly changes: readonly { readonly path: string; readonly before: unknown; readonly after: unknown }[];
}

/** Inputs of an operation's resource. Undefined for a deletion. */
export type Inputs = Readonly<Record<string, unknown>> | undefined;

/** "update aws:lb/listener:Listener http (defaultActions)" */
export function describeOperation({ op, type, name, properties }: Operation): string {
  return `${op} ${type} ${name}${properties.length > 0 ? ` (${properties.join(", ")})` : ""}`;
}

/** `suspendedProcesses` for `suspendedProcesses[0]`. */
export function topLevel(path: string): string {
  return path.split(/[.[]/)[0] ?? path;
}
