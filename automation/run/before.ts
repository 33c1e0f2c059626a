import { allAtOnce, shapeOf } from "../../stacks/intent.ts";
import type { Baseline } from "../ledger/events.ts";
import { lookBefore } from "../runbook/baseline.ts";
import type { RunIdentity } from "../runbook/rows.ts";
import type { Drive } from "./drive.ts";
import type { OpenStack } from "./open-stack.ts";
import { findingsIn } from "./warnings.ts";

/** Looks at the site as it is before the run, and tells what is bad in it. @returns undefined where nobody can look any more */
export async function takeBaseline(drive: Drive, run: RunIdentity): Promise<Baseline | undefined> {
  const { opened, ledger, options } = drive;
  const stop = AbortSignal.any([options.signals.stop, ledger.lost]);
  const baseline = await baselineOf(opened, run, (text) => ledger.redact(text), stop);
  if (baseline === undefined || stop.aborted) return undefined;
  ledger.note({ type: "baseline", ...baseline });
  for (const message of findingsIn(baseline, run)) ledger.tell({ type: "warning", message });
  return baseline;
}

/**
 * Looks again right before the new generation gets traffic: a backup and migrations may have taken hours, and what is bad
 * by then is not its doing either. Whether the old one is down stays as it was: what is planned follows from that.
 */
export async function lookAgain(drive: Drive, run: RunIdentity): Promise<Baseline | undefined> {
  const { opened, ledger, options, baseline } = drive;
  if (baseline === undefined) return undefined;
  const stop = AbortSignal.any([options.signals.stop, ledger.lost]);
  const now = await baselineOf(opened, run, (text) => ledger.redact(text), stop);
  if (now === undefined || stop.aborted) return baseline;
  const known = new Set(baseline.bad.map(({ kind, id }) => `${kind} ${id}`));
  const bad = now.bad.filter(({ kind, id }) => !known.has(`${kind} ${id}`));
  if (bad.length === 0) return baseline;
  const since = { down: false, bad, unseen: [] };
  ledger.note({ type: "baseline", ...since });
  for (const message of findingsIn(since, run, `${run.to} had traffic`)) ledger.tell({ type: "warning", message });
  return { ...baseline, bad: [...baseline.bad, ...bad] };
}

/** Undefined once the new generation has traffic: what is bad then may be its doing. */
export async function baselineOf(
  opened: Pick<OpenStack, "aws" | "manager" | "config" | "stack" | "last">,
  run: RunIdentity,
  redact: (text: string) => string,
  stop: AbortSignal,
): Promise<Baseline | undefined> {
  const after = opened.last?.outputs;
  if (after === undefined || after.live !== run.from) return undefined;
  if ((after.generations[run.to]?.weight ?? 0) > 0) return undefined;
  return lookBefore({ ...opened, ...run, before: after, after, redact }, stop);
}

/** The stack in which a run after this baseline gives traffic: in one step where the old generation is down. */
export function openedAfter<Opened extends Pick<OpenStack, "config" | "shape">>(
  opened: Opened,
  baseline: Baseline | undefined,
): Opened {
  if (baseline?.down !== true) return opened;
  const config = allAtOnce(opened.config);
  return { ...opened, config, shape: shapeOf(config) };
}

/** The same for everything that is driven. */
export function driveAfter(drive: Drive, baseline: Baseline | undefined): Drive {
  return { ...drive, baseline, opened: openedAfter(drive.opened, baseline) };
}
