import { projectDirectory } from "../../stacks/project.ts";
import { canonicalJson, sha256 } from "../ledger/canonical.ts";
import type { Inputs, Operation } from "./operation.ts";
import type { Position } from "./position.ts";
import type { Recorder } from "./recorder.ts";
import { declarationOf, type StackFile } from "./stack-file.ts";

/** The part of a row that a person approves with one plan. */
export type Approved = "first plan" | "whole row" | "command";

/**
 * The digest that a person approves: SHA-256 over its operations, in an order of their own, since the engine works on
 * resources side by side. User data is masked in a plan, so what is declared in the file is part of the digest: an
 * approval is void when a server's inputs change.
 *
 * @param covers `whole row`: the operations are left out, since they depend on how far the row got, and the policy lets
 * none of its plans do anything else
 */
export function digestOf(
  stackFile: StackFile,
  position: Position,
  { operations, inputs }: Pick<Recorder, "operations" | "inputs">,
  covers: Approved = "first plan",
): string {
  const file = declarationOf(stackFile, projectDirectory);
  if (covers === "whole row") {
    const { left: _, ...run } = position.run ?? {};
    return sha256(canonicalJson({ position: { ...position, run }, file }));
  }
  const planned = operations.map((operation, index) => ({ ...operation, inputs: declared(inputs[index]) }));
  const key = ({ urn, op }: Operation) => `${urn} ${op}`;
  planned.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return sha256(canonicalJson({ position, planned, file }));
}

/** Digest of what a stack's file declares. */
export function declarationDigest(stackFile: StackFile): string {
  return sha256(canonicalJson(declarationOf(stackFile, projectDirectory)));
}

/** Inputs that the program declares, without the plugin's own choices: a generated name differs in every preview. */
export function declared(inputs: Inputs = {}): Record<string, unknown> {
  const { __defaults: chosen, ...rest } = inputs;
  return Object.fromEntries(Object.entries(rest).filter(([name]) => !(Array.isArray(chosen) && chosen.includes(name))));
}
