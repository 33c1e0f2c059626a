import type { Outputs } from "../../stacks/outputs.ts";
import type { WayOut } from "../../stacks/way-out.ts";
import type { DocumentOf } from "../documents/documents.ts";
import type { PlannedOperation } from "../documents/events.ts";
import type { Operation } from "../engine/operation.ts";
import { type GateContext, sharesIn } from "../gates/context.ts";
import type { Gate } from "../gates/gate.ts";
import { sessionGates } from "../gates/sessions.ts";
import { volumesStay } from "../gates/volumes.ts";
import type { Baseline } from "../ledger/events.ts";
import { redactText } from "../ledger/redact.ts";
import { movesGate } from "../quiet/way.ts";
import { openedAfter } from "../run/before.ts";
import { endingServers } from "../run/keep-volumes.ts";
import { findingsIn, warningsOf } from "../run/warnings.ts";
import { addressUsers } from "../runbook/addresses.ts";
import { gatesBefore, gatesOf } from "../runbook/gates.ts";
import { offences } from "../runbook/policy.ts";
import { factsOf, type Row } from "../runbook/rows.ts";
import { positionOf, updatesOf } from "../runbook/updates.ts";
import type { Copy } from "./copy.ts";
import { effectsOf } from "./effects.ts";
import { howAddressesMove } from "./moves.ts";
import type { Route } from "./route.ts";

/** A run's prediction: the document of `handover plan --json`. */
export type Prediction = Omit<DocumentOf<"plan">, "version">;

/** A prediction, and whether the run would get as far as it says. */
export interface Predicted {
  readonly prediction: Prediction;
  /** A phase of it would be refused: the warnings say which, and why. */
  readonly refused: boolean;
}
export type PredictedPhase = Prediction["phases"][number];

/** Walks the copy of a stack through a route, and tells what each row does. */
export async function predict(
  stack: Copy,
  planned: Route,
  signal: AbortSignal,
  baseline?: Baseline,
): Promise<Predicted> {
  const copy = { ...stack, opened: openedAfter(stack.opened, baseline), baseline };
  const { behind, rows } = planned;
  const identity = { ...planned.identity, ...(baseline?.down && { atOnce: true as const }) };
  const route = { ...planned, identity };
  const { config } = copy.opened;
  const warnings = [...warningsOf(config, identity), ...(baseline === undefined ? [] : findingsIn(baseline, identity))];
  const phases: PredictedPhase[] = [];
  const ways = await waysOf(copy.opened, signal);
  let refused = false;
  let before: Before = { outputs: copy.opened.last?.outputs };
  for (const [index, row] of [...behind, ...rows].entries()) {
    const { operations, gates, stages, settledShares } = await imagine(copy, route, row, before, signal);
    before = { outputs: stages.at(-1), settledShares };
    if (index < behind.length) continue;
    for (const { op, type, name } of offences(operations, { row, ...identity })) {
      refused = true;
      warnings.push(`the plan of ${row} would be refused, since it may not ${op} ${type} ${name}`);
    }
    const moves = await howAddressesMove(stages, copy.opened, signal);
    phases.push({
      name: row,
      operations: operations.map(asPlanned),
      effects: [...effectsOf(stages, ways), ...moves],
      gates: moves.length > 0 ? [...gates, movesGate] : gates,
    });
  }
  return { prediction: { from: identity.from, to: identity.to, warnings, phases }, refused };
}

/** How servers leave their network, each in its place; nothing where nobody may look, or a run needs no way out. */
async function waysOf({ config, aws }: Copy["opened"], signal: AbortSignal): Promise<readonly WayOut[]> {
  const { egress, cidrBlock, vpcId = "", subnetIds = [], frontendSubnetIds = subnetIds } = config.site.network;
  if (egress === "none") return [];
  if (cidrBlock !== undefined) return ["public address"];
  const places = frontendSubnetIds.map((subnetId) => ({ subnetId, vpcId }));
  const ways = await aws.waysOut.ofSubnets(places, signal).catch(() => new Map<string, WayOut>());
  return frontendSubnetIds.flatMap((id) => ways.get(id) ?? []);
}

/** The stack before a row. */
interface Before extends Pick<GateContext, "settledShares"> {
  readonly outputs: Outputs | undefined;
}

interface Imagined extends Pick<GateContext, "settledShares"> {
  readonly operations: readonly Operation[];
  readonly gates: readonly string[];
  /** The stack's outputs before the row, where it had any, and after each of its updates. */
  readonly stages: readonly Outputs[];
}

async function imagine(
  { opened, engine, baseline }: Copy & { readonly baseline: Baseline | undefined },
  { identity, lastPlanned }: Route,
  row: Row,
  { outputs, settledShares: settledBefore }: Before,
  signal: AbortSignal,
): Promise<Imagined> {
  const operations: Operation[] = [];
  const redact = (text: string) => redactText(text, opened.secrets);
  const gates = new Set(commandsOf(opened.config.upgrade, row));
  const stages = outputs === undefined ? [] : [outputs];
  let settledShares = settledBefore;
  for (const update of updatesOf(opened.shape, row, lastPlanned)) {
    const applied = await engine.upTo(positionOf(update, identity), signal);
    operations.push(...applied.operations.toSorted(byTypeAndName));
    const context = {
      ...opened,
      ...identity,
      ...{ baseline, settledShares },
      before: stages.at(-1),
      after: applied.outputs,
      redact,
    };
    const asked = context.before && gatesBefore(row, { ...context, after: context.before });
    if ((asked?.first ?? []).length > 0 && context.before !== undefined) settledShares = sharesIn(context.before);
    const { first = [], hold, watch } = gatesOf(row, { ...context, settledShares });
    const users = context.before && addressUsers(row, { ...context, after: context.before }, applied.operations);
    const sessions = factsOf(row).sessions === "awaited" ? sessionGates(context).values() : [];
    const held = [
      ...(asked?.first ?? []),
      ...(asked?.hold ?? []),
      ...keepingVolumes(context, applied.operations),
      ...first,
      ...hold,
      ...(watch?.gates ?? []),
    ];
    for (const { name } of [...held, ...sessions, ...(users === undefined ? [] : [users])]) gates.add(name);
    if (first.length > 0) settledShares = sharesIn(applied.outputs);
    stages.push(applied.outputs);
  }
  return { operations, gates: [...gates].map(redact), stages, settledShares };
}

/** Looks at the stack as it is before the update. */
function keepingVolumes({ before, aws }: GateContext, operations: readonly Operation[]): Gate[] {
  const ending = before && endingServers(operations, before, aws);
  return ending === undefined ? [] : [volumesStay(aws, ending)];
}

function commandsOf({ backup, migrate, beforeMove }: Copy["opened"]["config"]["upgrade"], row: Row): string[] {
  const commands = { freezes: backup?.freeze, migrates: migrate, quiets: beforeMove, none: undefined };
  const command = commands[factsOf(row).command]?.command;
  return command === undefined ? [] : [`command ${command[0]}`];
}

function asPlanned({ op, type, name, properties }: Operation): PlannedOperation {
  return { op, type, name, properties };
}

const { compare } = new Intl.Collator("en", { numeric: true });

/** The engine works on many resources at once, in no order that means something; the steps of one resource keep theirs. */
function byTypeAndName(a: Operation, b: Operation): number {
  return compare(a.type, b.type) || compare(a.name, b.name);
}
