import { rows as runbookRows } from "../../automation/runbook/rows.ts";
import { type PhaseName, phaseNames } from "../../stacks/runbook.ts";
import { covering, pairsOfValues } from "../matrix/covering.ts";

/** What a node of the load balancer learns late: rules with their weights, targets, or both. */
export const lateness = ["rules", "targets", "both"] as const;
export type Lateness = (typeof lateness)[number];

/**
 * What tells that a generation gets no more requests: its answers, which say who gave them, the load balancer's counts of
 * requests, or nothing, so that it is waited for blindly.
 */
export const evidence = ["told", "untold", "blind"] as const;
export type Evidence = (typeof evidence)[number];

/** A site under load, and what is done with it. */
export interface LagRow {
  /** The longest that a node takes to learn of a change, in seconds. */
  readonly lagSeconds: number;
  readonly late: Lateness;
  readonly evidence: Evidence;
  /** Repeats the moments at which nodes learn. */
  readonly seed: number;
  /** A whole upgrade, or the way back once a phase is done. */
  readonly way: "upgrade" | PhaseName;
}

/** Phases with a way back, the last first: a site is as it was after each. */
export const waysBack: readonly PhaseName[] = phaseNames.filter((name) => runbookRows[name].back !== "no way");

const lags = [0, 5, 15, 60] as const;
export const ways: readonly LagRow["way"][] = [...waysBack, "upgrade"];

export function allRows(seeds: readonly number[]): readonly LagRow[] {
  return lags.flatMap((lagSeconds) =>
    lateness.flatMap((late) =>
      evidence.flatMap((each) =>
        seeds.flatMap((seed) => ways.map((way): LagRow => ({ lagSeconds, late, evidence: each, seed, way }))),
      ),
    ),
  );
}

/** `L=15 rules told seed=2 connect` */
export function nameOf({ lagSeconds, late, evidence, seed, way }: LagRow): string {
  return `L=${lagSeconds} ${late} ${evidence} seed=${seed} ${way}`;
}

/** Rows of one site; it is as it was after each but the upgrade, which is the last. */
export function siteOf({ lagSeconds, late, evidence, seed }: LagRow): string {
  return [lagSeconds, late, evidence, seed].join();
}

/** Rows in which every value of each condition meets every value of each other one at least once. */
export function coveringRows(rows: readonly LagRow[]): readonly LagRow[] {
  return covering(rows, { pairsOf: pairsOfValues, siteOf });
}
