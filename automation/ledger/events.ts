import { z } from "zod";

const phase = z.string();
const run = z.string();
const digest = z.string();
const seconds = z.number();
const json = z.json();

/** A gate's answer: `inconclusive` is no evidence, neither for nor against. */
export const verdict = z.enum(["pass", "fail", "inconclusive"]);

/** Why a run waits: a person must approve a plan, nothing is proven, the policy refused a plan, or a person must act. */
export const pauseReason = z.enum(["approval", "inconclusive", "refused", "needs-person"]);

/** A run's end; earlier versions wrote `failed` for a run that was given up. */
export const outcome = z.enum(["reached", "rolled-back", "given-up", "failed"]);

/** The purpose of a command of the site's operators. */
export const purpose = z.enum(["freeze", "thaw", "migrate", "undo-migrations", "before-move"]);

const command = { phase, purpose };

/** Something that was bad before the run. */
const finding = z.strictObject({
  kind: z.enum(["server", "array", "address", "check", "alarm", "metric", "log"]),
  /** By which a gate finds it again. */
  id: z.string(),
  name: z.string(),
  /** In words, without secrets. */
  seen: z.string(),
  /** Matches a minute, of a log. */
  perMinute: z.number().optional(),
});

/** The site as it was before a run: what was bad then says nothing of the new generation. */
export const baseline = z.strictObject({
  /** Nothing of the old generation answered. */
  down: z.boolean(),
  bad: z.array(finding),
  /** Looks that could not be taken, with the reason. */
  unseen: z.array(z.string()),
});

const operation = z.strictObject({
  /** The engine's word: `create`, `update`, `replace`, `delete`, … */
  op: z.string(),
  /** The resource's type: `aws:ec2/instance:Instance`. */
  type: z.string(),
  name: z.string(),
});

const operations = {
  operations: z.array(operation),
  /** Number of operations left out because the event would not fit into an item. */
  omitted: z.int().positive().optional(),
};

/**
 * An event of a run. Events are plain data, and strict: an event that is read back has exactly the members that
 * were written, so its hash can be computed again.
 */
export const ledgerEvent = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("run-started"),
    run,
    /** The generation that is live, and the one to go to. */
    from: z.string(),
    to: z.string(),
    command: z.string(),
    /** Who began it. */
    by: z.string().optional(),
    goal: json,
    /** Values that are secret only as `{ digest }`, see `redact`. */
    inputs: z.strictObject({ before: json, after: json }),
  }),
  /** Recorded before the first phase, and before anything follows from it. */
  z.strictObject({ type: z.literal("baseline"), ...baseline.shape }),
  z.strictObject({ type: z.literal("phase-started"), phase, step: z.int().nonnegative().optional() }),
  z.strictObject({ type: z.literal("plan"), phase, step: z.int().positive().optional(), digest, ...operations }),
  z.strictObject({ type: z.literal("applied"), phase, ...operations, seconds }),
  z.strictObject({
    type: z.literal("gate"),
    phase,
    gate: z.string(),
    verdict,
    /** The gate's evidence. Too large for an item, it is kept as a `Truncated`. */
    evidence: json,
    seconds,
  }),
  /** Recorded before the command is run: without a `command-finished` after it, nobody saw how it ended. */
  z.strictObject({ type: z.literal("command-started"), ...command, command: z.array(z.string()) }),
  z.strictObject({
    type: z.literal("command-output"),
    ...command,
    output: z.string(),
    /** Number of lines before this event left out because the command printed too much. */
    omitted: z.int().positive().optional(),
  }),
  z.strictObject({
    type: z.literal("command-finished"),
    ...command,
    /** Null when it did not end by itself: at its time limit, or when the run was cancelled. */
    exitCode: z.int().nullable(),
    seconds,
    /** The person who said that it is complete; left out when the driver saw it. */
    by: z.string().optional(),
  }),
  z.strictObject({ type: z.literal("phase-finished"), phase }),
  z.strictObject({ type: z.literal("interrupted"), signal: z.string(), phase: phase.optional() }),
  z.strictObject({
    type: z.literal("paused"),
    phase,
    reason: pauseReason,
    /** Digest of the plan that waits for approval. */
    digest: digest.optional(),
  }),
  z.strictObject({ type: z.literal("approved"), phase, digest, by: z.string() }),
  z.strictObject({ type: z.literal("rollback-started"), phase, reason: z.string() }),
  z.strictObject({ type: z.literal("run-finished"), outcome }),
]);

export type Finding = Readonly<z.infer<typeof finding>>;
export type Baseline = Readonly<z.infer<typeof baseline>>;
export type Purpose = z.infer<typeof purpose>;
export type LedgerEvent = z.infer<typeof ledgerEvent>;
export type LedgerOperation = z.infer<typeof operation>;
export type Json = z.infer<typeof json>;
export type Verdict = z.infer<typeof verdict>;
export type PauseReason = z.infer<typeof pauseReason>;
export type Outcome = z.infer<typeof outcome>;

/** The part that the hash signs: everything but the hash. */
export const unsealedRecord = z.strictObject({
  /** 1, 2, 3, … through all runs of the stack. */
  sequence: z.int().positive(),
  run,
  /** When it was recorded: ISO 8601, UTC, by the clock of the driver's machine. */
  time: z.iso.datetime(),
  /** The fencing token of the lease under which it was written. */
  token: z.int().positive(),
  /** The hash of the record before it; 64 zeros for the first. */
  previous: z.string(),
  event: ledgerEvent,
});

export type UnsealedRecord = z.infer<typeof unsealedRecord>;

/** An event as it is stored. */
export type LedgerRecord = UnsealedRecord & {
  /** SHA-256 over the canonical JSON of everything else, in hexadecimal. */
  readonly hash: string;
};
