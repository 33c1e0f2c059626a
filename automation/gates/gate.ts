import { setTimeout as sleep } from "node:timers/promises";
import { type NotSeen, notSeenIn } from "../cloud/not-seen.ts";
import { secondsSince } from "../elapsed.ts";
import { messageOf } from "../errors.ts";
import type { Verdict } from "../ledger/events.ts";

/** A gate's evidence: plain data for the ledger and the report. */
export type Evidence =
  | string
  | number
  | boolean
  | null
  | readonly Evidence[]
  | { readonly [key: string]: Evidence | undefined };

/** Why a gate that holds nothing up has judged nothing, by its evidence; undefined where it has. */
export function notJudgedIn(evidence: unknown): string | undefined {
  if (typeof evidence !== "object" || evidence === null) return undefined;
  if ("notJudged" in evidence && typeof evidence.notJudged === "string") return evidence.notJudged;
  // What was watched shows the last that was seen.
  return "last" in evidence ? notJudgedIn(evidence.last) : undefined;
}

export interface Observation {
  /** `pending`: not yet, look again. */
  readonly verdict: "pass" | "fail" | "pending";
  readonly evidence: Evidence;
  /** Pending evidence that says nothing against what is observed: when the patience is over it is inconclusive. */
  readonly unproven?: boolean;
  /** Why nothing was seen, where that is known. */
  readonly notSeen?: NotSeen | undefined;
}

/** One thing that must hold before the run goes on. */
export interface Gate {
  readonly name: string;
  /**
   * Its patience: the time that it may be pending, in seconds. Default: the configuration's `gateSeconds` where it is held. A gate that is
   * watched and has such a patience collects evidence: it fails at once, and the others are watched until it has passed.
   */
  readonly patienceSeconds?: number;
  /** Verdict on evidence that is still pending then. Default: `fail`. */
  readonly whenOver?: "fail" | "inconclusive";
  /** Seconds between two looks. Default: 1 while it is watched; else often at first, then every 3. */
  readonly everySeconds?: number;
  /** Looks once. What it throws (AWS cannot be reached, say) is no evidence against the new generation. */
  observe(signal: AbortSignal): Promise<Observation>;
}

export interface GateResult {
  readonly gate: string;
  readonly verdict: Verdict;
  readonly evidence: Evidence;
  readonly seconds: number;
  /** Why it is inconclusive, where that is known. */
  readonly notSeen?: NotSeen | undefined;
}

/** A gate that is waited for. */
export interface Waiting {
  readonly gate: string;
  /** What it saw last. */
  readonly evidence: Evidence;
  /** How long it may take yet. */
  readonly leftSeconds: number;
}

export interface Patience {
  /** Default patience. A gate that has seen nothing by then is inconclusive. */
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** Called at each look that does not settle a gate. Default: nobody is told. */
  readonly onWait?: (waiting: Waiting) => void;
  /** Called with the name of a gate that is not waited for any more. Default: nobody is told. */
  readonly onSettled?: (gate: string) => void;
}

/** Observes all gates side by side until each has passed, or the first has failed. */
export async function hold(gates: readonly Gate[], patience: Patience): Promise<GateResult[]> {
  const { signal, onSettled } = patience;
  return sideBySide(gates, signal, async (gate, stop) => {
    const result = await untilSettled(gate, { ...patience, signal: stop });
    onSettled?.(gate.name);
    return result;
  });
}

/** A gate that misses this often in a row while it is watched has failed: one lost packet is no reason to go back. */
const missesInARow = 3;

/**
 * Observes all gates over and over for a time in which they must keep passing, or until the first has failed; longer
 * while one that collects evidence is pending.
 */
export async function watch(gates: readonly Gate[], seconds: number, signal: AbortSignal): Promise<GateResult[]> {
  const undecided = new Set(gates.filter(({ patienceSeconds }) => patienceSeconds !== undefined));
  return sideBySide(gates, signal, (gate, stop) => untilOver(gate, { seconds, undecided }, stop));
}

/** @returns what each gate came to; where another's failure stopped one that had not passed, what it had seen so far */
async function sideBySide(
  gates: readonly Gate[],
  signal: AbortSignal,
  settle: (gate: Gate, stop: AbortSignal) => Promise<GateResult | undefined>,
): Promise<GateResult[]> {
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const results = await Promise.all(
    gates.map(async (gate) => {
      const result = await settle(gate, stop);
      if (result !== undefined && result.verdict !== "pass") failed.abort();
      return result;
    }),
  );
  signal.throwIfAborted();
  return results.filter((result) => result !== undefined);
}

interface Watch {
  readonly seconds: number;
  /** Gates that collect evidence and have not passed yet. */
  readonly undecided: Set<Gate>;
}

async function untilOver(gate: Gate, watch: Watch, signal: AbortSignal): Promise<GateResult | undefined> {
  const started = performance.now();
  let passed = started;
  for (let misses = 0, observations = 1; ; observations++) {
    const seen = await look(gate, signal);
    const { verdict, evidence } = seen;
    if (signal.aborted) return undefined;
    const settled = (result: GateResult["verdict"], shown: Evidence, notSeen?: NotSeen) => {
      watch.undecided.delete(gate);
      const seconds = secondsSince(started);
      return { gate: gate.name, verdict: result, evidence: shown, seconds, ...(notSeen && { notSeen }) };
    };
    if (verdict === "pass") {
      misses = 0;
      passed = performance.now();
      watch.undecided.delete(gate);
    } else if (isLost(gate, verdict, ++misses, secondsSince(passed))) {
      return settled(lostAs(gate, seen), evidence, seen.notSeen);
    } else if (gate.patienceSeconds !== undefined) {
      watch.undecided.add(gate);
    }
    const left = watch.seconds - secondsSince(started);
    if (left <= 0 && misses === 0 && watch.undecided.size === 0) {
      return settled("pass", { observations, last: evidence });
    }
    const { everySeconds = 1 } = gate;
    await pause(Math.max(0.2, left > 0 ? Math.min(everySeconds, left) : everySeconds), signal);
  }
}

/** Whether a gate that is watched and does not pass has no more chances. */
function isLost({ patienceSeconds }: Gate, verdict: Look["verdict"], misses: number, seconds: number): boolean {
  return patienceSeconds === undefined ? misses >= missesInARow : verdict === "fail" || seconds >= patienceSeconds;
}

function lostAs({ whenOver = "fail" }: Gate, { verdict, unproven }: Look): GateResult["verdict"] {
  if (verdict === "unknown" || (verdict === "pending" && unproven)) return "inconclusive";
  return verdict === "pending" ? whenOver : "fail";
}

async function untilSettled(
  gate: Gate,
  { seconds: usual, signal, onWait = () => {} }: Patience,
): Promise<GateResult | undefined> {
  const seconds = gate.patienceSeconds ?? usual;
  const started = performance.now();
  let seen: Evidence | undefined;
  const settled = (verdict: GateResult["verdict"], evidence: Evidence, notSeen?: NotSeen) => ({
    gate: gate.name,
    verdict,
    evidence,
    seconds: secondsSince(started),
    ...(notSeen && { notSeen }),
  });
  const { everySeconds } = gate;
  for (let interval = everySeconds ?? 0.1; ; interval = everySeconds ?? Math.min(interval * 1.5, 3)) {
    const now = await look(gate, signal);
    const { verdict, evidence } = now;
    if (verdict === "pass" || verdict === "fail") return settled(verdict, evidence);
    // A look that was itself stopped saw nothing.
    if (verdict === "pending" || !signal.aborted) seen = evidence;
    // Stopped by another gate: its own patience does not count any more, though it may have ended at the same moment.
    if (signal.aborted) return seen === undefined ? undefined : settled("inconclusive", seen);
    const leftSeconds = seconds - secondsSince(started);
    if (interval > leftSeconds) return settled(lostAs(gate, now), evidence, now.notSeen);
    onWait({ gate: gate.name, evidence, leftSeconds });
    await pause(interval, signal);
    if (signal.aborted) return seen === undefined ? undefined : settled("inconclusive", seen);
  }
}

interface Look extends Omit<Observation, "verdict"> {
  readonly verdict: Observation["verdict"] | "unknown";
}

async function look(gate: Gate, signal: AbortSignal): Promise<Look> {
  try {
    return await gate.observe(signal);
  } catch (error) {
    return { verdict: "unknown", evidence: { error: messageOf(error) }, notSeen: notSeenIn(error) };
  }
}

/** Ends early, without an error, when the signal comes. */
async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  await sleep(seconds * 1000, undefined, { signal }).catch(() => undefined);
}
