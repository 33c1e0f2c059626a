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
   * The same for a creation that is repeated after a crash, so that it adopts what exists; another one for each
   * `attempt`, and always another when the state holds a resource with these very inputs.
   */
  token(attempt?: number): string;
  /** The state holds a resource in this place, which this one replaces. */
  readonly isHeld: boolean;
  /** Says that it exists from now on: if a later step fails, it is in the state all the same. */
  created(id: string): void;
}

export interface Change<Args, Resource> extends Operation {
  readonly id: string;
  readonly olds: InputsOf<Args>;
  readonly news: InputsOf<Args>;
  readonly state: Partial<OutputsOf<Resource>>;
  /** Whether an update changes one of the inputs. */
  changed(...inputs: (keyof Args)[]): boolean;
}

export interface Existing<Resource> extends Operation {
  readonly id: string;
  /** What is in the engine's state; nothing when it is imported. */
  readonly state: Partial<OutputsOf<Resource>>;
  /** The inputs that were just written; what they say needs not be asked for. */
  readonly written?: Partial<OutputsOf<Resource>>;
}

/** Everything that the provider knows about a type of resource. */
export interface ResourceType<Resource, Args> {
  /** For example `aws:ec2/vpc:Vpc`. */
  readonly token: string;
  /** The inputs that are supported. */
  readonly fields: Fields<Args>;
  /** The outputs that are no inputs; `onUpdate`: an update may change it. */
  readonly computed: Readonly<Record<ComputedOf<Resource, Args>, true | "onUpdate">> &
    Partial<Readonly<Record<keyof Args, "onUpdate">>>;
  readonly autoname?: Autoname & { readonly property: keyof Args & string };
  /** There cannot be two of it. */
  readonly deleteBeforeReplace?: true;
  /** Of each of these groups of inputs a program must give exactly one. */
  readonly exactlyOne?: readonly (readonly (keyof Args & string)[])[];
  /** What is wrong with inputs that are right each by itself. Inputs that are not known yet are text. */
  check?(inputs: InputsOf<Args>): CheckFailure[];
  /** Inputs whose change replaces the resource only with certain inputs before and after it. */
  replaces?(news: InputsOf<Args>, olds: InputsOf<Args>): (keyof Args)[];
  create(inputs: InputsOf<Args>, creation: Creation): Promise<string>;
  /** Undefined when it does not exist. */
  read(existing: Existing<Resource>): Promise<StateOf<Resource> | undefined>;
  update?(change: Change<Args, Resource>): Promise<void>;
  delete(existing: Existing<Resource>): Promise<void>;
  /** What identifies the resource, by the id that the official plugin imports it by; no id when there is none. */
  importId?(id: string, operation: Operation): Promise<{ readonly id: string } & Partial<OutputsOf<Resource>>>;
}

// biome-ignore lint/suspicious/noExplicitAny: the machinery handles all types alike
export type AnyResourceType = ResourceType<any, any>;

export function resource<Resource, Args>(type: ResourceType<Resource, Args>): AnyResourceType {
  return type;
}
