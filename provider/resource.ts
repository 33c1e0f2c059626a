import type * as pulumi from "@pulumi/pulumi";
import type { CheckFailure } from "./check.ts";
import type { Cloud } from "./cloud.ts";
import type { Fields } from "./fields.ts";
import type { Autoname } from "./names.ts";
import type { ComputedOf, OutputsOf, StateOf } from "./outputs.ts";

/** A program's arguments as plain values. */
export type InputsOf<Args> = { [K in keyof Args]: pulumi.Unwrap<Args[K]> };

/** One operation that the engine asked for. */
export interface Operation {
  readonly cloud: Cloud;
  readonly urn: string;
  /** The resource's name in the program. */
  readonly name: string;
  readonly timeoutSeconds?: number;
  readonly signal: AbortSignal;
}

export interface Creation extends Operation {
  /**
   * A token that is the same when a creation is repeated after a crash, so that it adopts what exists. It differs for each
   * `attempt`, and whenever the state already holds a resource with the same inputs.
   */
  token(attempt?: number): string;
  /** True when the state holds a resource that this one replaces. */
  readonly isHeld: boolean;
  /** Records that the resource exists: if a later step fails, it still gets into the state. */
  created(id: string): void;
}

export interface Change<Args, Resource> extends Operation {
  readonly id: string;
  readonly olds: InputsOf<Args>;
  readonly news: InputsOf<Args>;
  readonly state: Partial<OutputsOf<Resource>>;
  /** Tells whether the update changes one of the inputs. */
  changed(...inputs: (keyof Args)[]): boolean;
}

export interface Existing<Resource> extends Operation {
  readonly id: string;
  /** The resource in the engine's state; empty during an import. */
  readonly state: Partial<OutputsOf<Resource>>;
  /** The inputs that were just written, which need not be read back. */
  readonly written?: Partial<OutputsOf<Resource>>;
}

/** Everything that the provider knows about a type of resource. */
export interface ResourceType<Resource, Args> {
  /** For example `aws:ec2/vpc:Vpc`. */
  readonly token: string;
  /** The supported inputs. */
  readonly fields: Fields<Args>;
  /** The outputs that are not inputs; `onUpdate`: an update may change it. */
  readonly computed: Readonly<Record<ComputedOf<Resource, Args>, true | "onUpdate">> &
    Partial<Readonly<Record<keyof Args, "onUpdate">>>;
  readonly autoname?: Autoname & { readonly property: keyof Args & string };
  /** Set when two of them cannot exist at once. */
  readonly deleteBeforeReplace?: true;
  /** Groups of inputs of which a program must give exactly one. */
  readonly exactlyOne?: readonly (readonly (keyof Args & string)[])[];
  /** Finds faults in the combination of inputs that are valid one by one. Unknown inputs are text. */
  check?(inputs: InputsOf<Args>): CheckFailure[];
  /** Inputs whose change replaces the resource only with certain inputs before and after it. */
  replaces?(news: InputsOf<Args>, olds: InputsOf<Args>): (keyof Args)[];
  create(inputs: InputsOf<Args>, creation: Creation): Promise<string>;
  /** Returns undefined when the resource does not exist. What AWS was just told may not show in it yet. */
  read(existing: Existing<Resource>): Promise<StateOf<Resource> | undefined>;
  /** Tells whether a reading shows all that a creation or an update has waited for, beside the inputs. Default: it does. */
  isSettled?(state: StateOf<Resource>, inputs: InputsOf<Args>): boolean;
  update?(change: Change<Args, Resource>): Promise<void>;
  delete(existing: Existing<Resource>): Promise<void>;
  /** Finds the resource's identity from the id that the official plugin imports it by; the id is empty if it does not exist. */
  importId?(id: string, operation: Operation): Promise<{ readonly id: string } & Partial<OutputsOf<Resource>>>;
}

// biome-ignore lint/suspicious/noExplicitAny: the machinery handles all types alike
export type AnyResourceType = ResourceType<any, any>;

export function resource<Resource, Args>(type: ResourceType<Resource, Args>): AnyResourceType {
  return type;
}
