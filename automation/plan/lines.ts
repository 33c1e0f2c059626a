import { types } from "../../stacks/names.ts";
import { lastPhase } from "../../stacks/runbook.ts";
import type { PlannedOperation } from "../documents/events.ts";
import type { Expected } from "./expected.ts";
import type { Prediction } from "./predict.ts";

/** Operations that a person reads as one: the same on several resources. */
export interface Line {
  readonly op: string;
  /** Short: `ec2.Instance` for `aws:ec2/instance:Instance`. */
  readonly type: string;
  /** `green-2 … green-100 (99)` where they are many. */
  readonly names: string;
  readonly properties: string;
}

/** The engine tells a replacement in three steps; a person reads one. */
const stepsOfReplacement: ReadonlySet<string> = new Set(["create-replacement", "delete-replaced"]);

/** They leave the stack only (stacks/database.ts). */
const kept: ReadonlySet<string> = new Set([types.ebsSnapshot, types.rdsSnapshot]);

/** Neighbours that do the same to the same type of resource become one line. */
export function linesOf(operations: readonly PlannedOperation[]): Line[] {
  const groups: { readonly key: string; readonly operation: PlannedOperation; readonly names: string[] }[] = [];
  for (const operation of operations) {
    const { op, type, name, properties } = operation;
    if (stepsOfReplacement.has(op)) continue;
    const key = JSON.stringify([op, type, properties]);
    const last = groups.at(-1);
    // The same resource again is a step of its own.
    if (last?.key === key && !last.names.includes(name)) last.names.push(name);
    else groups.push({ key, operation, names: [name] });
  }
  return groups.map(({ operation: { op, type, properties }, names }) => ({
    op,
    type: shortType(type),
    names: names.length <= 3 ? names.join(", ") : `${names[0]} … ${names.at(-1)} (${names.length})`,
    properties: op === "delete" && kept.has(type) ? "AWS keeps it" : properties.join(", "),
  }));
}

/** `2 create, 1 update`; a replacement counts once. */
export function countsOf(operations: readonly PlannedOperation[]): string {
  const counts = new Map<string, number>();
  for (const { op } of operations) {
    if (!stepsOfReplacement.has(op)) counts.set(op, (counts.get(op) ?? 0) + 1);
  }
  return [...counts].map(([op, count]) => `${count} ${op}`).join(", ") || "no changes";
}

/** Sums the plan up in one sentence. */
export function headline(stack: string, { from, to, phases }: Prediction): string {
  const operations = phases.flatMap((phase) => phase.operations);
  if (phases.some(({ name }) => name === lastPhase))
    return `${stack}: ${from} -> ${to} in ${phases.length} phases: ${countsOf(operations)}`;
  if (from !== to) return `${stack}: back from ${to} to ${from}: ${countsOf(operations)}`;
  if (operations.length === 0) return `${stack}: ${to} is live and the goal; an update would change nothing`;
  return `${stack}: ${to} is the goal, and an update would do: ${countsOf(operations)}`;
}

export function expectation({ seconds, runs }: Pick<Expected, "seconds" | "runs">): string {
  if (runs === 0) return `expected to take at least ${time(seconds)}, for which the configuration and AWS have it wait`;
  return `expected to take ${time(seconds)}, ${runs === 1 ? "as the last run" : `the median of the last ${runs} runs`}`;
}

/** How long a phase is expected to take; empty where nothing is known. */
export function expectationOf(phase: string, expected: Expected | undefined): string {
  const seconds = expected?.phases[phase];
  if (seconds === undefined) return "";
  return expected?.runs === 0 ? ` (at least ${time(seconds)})` : ` (about ${time(seconds)})`;
}

function time(seconds: number): string {
  return seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;
}

function shortType(type: string): string {
  const [, module = "", name = ""] = /^aws:([^/]+)\/[^:]+:(.+)$/.exec(type) ?? [];
  return module === "" ? type : `${module}.${name}`;
}
