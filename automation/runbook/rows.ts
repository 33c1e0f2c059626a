import { longestDrainSeconds, longestStickinessSeconds } from "../../stacks/config/entry-schema.ts";
import type { Config } from "../../stacks/config.ts";
import { type SiteShape, stepsOf } from "../../stacks/intent.ts";
import {
  firstPhase,
  type IntentRow,
  type PhaseName,
  phaseNames,
  readmit,
  runbook,
  withdraw,
} from "../../stacks/runbook.ts";

/** Converges to one generation: the end of the way back, and every update outside of a run. */
export const settle = "settle";

/** Everything that the driver applies: the phases, the way back, and the update that leaves one generation alone. */
export type Row = IntentRow | typeof settle;

export const rowNames: readonly Row[] = [...phaseNames, readmit, withdraw, settle];

/** Who goes where. */
export interface RunIdentity {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** All traffic goes over in one step, since the old generation is down. */
  readonly atOnce?: true;
}

/** One update of the engine. */
export interface Update {
  readonly row: Row;
  /** Where the row has several. */
  readonly step?: number;
  /** Old servers, by name, that stay for now while others end, or all that are there on the way back. */
  readonly left?: readonly string[];
  /** Old servers, by name, that cannot serve: on the way back no address comes to them. Default: none. */
  readonly short?: readonly string[];
}

/** The update that a run planned last: its row's earlier updates are behind the run, and so are their gates. */
export interface LastPlanned {
  readonly row: string;
  readonly step: number;
}

/** A run on a site: the facts by which its phases are chosen. */
export interface RunShape {
  readonly shape: SiteShape;
  readonly config: Config;
  readonly from: string;
  readonly to: string;
}

/**
 * Everything that the driver must know of a row besides what it may touch (policy.ts) and what must hold (gates.ts).
 * No member is optional: a new row does not compile until each is answered.
 */
export interface RowFacts {
  /** Whether a run on this site has the phase. A row of the way back is chosen by `back` alone. */
  readonly exists: (run: RunShape) => boolean;
  /** The number of updates of the engine. */
  readonly updates: (site: SiteShape) => number;
  /** How long the configuration and AWS have it wait at least, in seconds. */
  readonly waits: (config: Config) => number;
  /** Number of its first updates that change nothing in the cloud. */
  readonly idle: number;
  /** The row of stacks/intent.ts that the engine applies; none where one generation is alone. */
  readonly intent: IntentRow | "none";
  /** Rows that lead back once it was begun, before `settle`; or there is no way back. */
  readonly back: readonly Row[] | "no way";
  /** Whether a run that got no further than this can be given up: nothing was launched. */
  readonly givesUp: boolean;
  /** The site's own command that it runs: it freezes the database, migrates it, or quiets old servers before a move. */
  readonly command: "freezes" | "migrates" | "quiets" | "none";
  /** Whether the new generation gets its first public traffic. */
  readonly givesTraffic: boolean;
  /** The servers on which the site's own checks run, and whether the row has launched them. */
  readonly suite: "new frontends" | "new array" | "all servers" | "frontends" | "none";
  /** The object of an approval: the plan of its first update, the row whatever its plans are, or its command. */
  readonly approves: "first plan" | "whole row" | "command";
  /** The generation whose array it resumes: scheduled actions that it missed are made up for. */
  readonly resumes: "from" | "to" | "none";
  /** Whether it waits for the sessions of old servers, or ends these servers one by one as their sessions end. */
  readonly sessions: "ignored" | "awaited" | "ended one by one";
}

/**
 * Waits of AWS's and of the official plugin, at least, in seconds. Status checks come once a minute, and the first ones
 * one or two minutes after a server runs.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html
 */
const aws = { ebsSnapshot: 15, rdsSnapshot: 31, launchTemplate: 5, start: 10, statusChecks: 60, end: 10 };
const launch = aws.start + aws.statusChecks;

const steps = (row: IntentRow) => (site: SiteShape) => stepsOf(site, row);
const always = () => true;
const hasAddresses = ({ shape }: RunShape) => shape.elasticIps > 0;
const hasArray = ({ config, from, to }: RunShape) =>
  [from, to].some((name) => config.generations[name]?.array !== undefined);

/** Most phases are nothing but planned updates. */
const plain = {
  exists: always,
  waits: (_: Config) => 0,
  idle: 0,
  givesUp: false,
  command: "none",
  givesTraffic: false,
  suite: "none",
  approves: "first plan",
  resumes: "none",
  sessions: "ignored",
} as const;

export const rows = {
  backup: {
    ...plain,
    exists: ({ shape }: RunShape) => shape.database,
    updates: steps("backup"),
    waits: ({ site }: Config) =>
      site.database?.dbInstanceIdentifier === undefined ? aws.ebsSnapshot : aws.rdsSnapshot,
    intent: "backup",
    back: [],
    givesUp: true,
    command: "freezes",
  },
  migrate: {
    ...plain,
    exists: ({ config }: RunShape) => config.upgrade.migrate !== undefined,
    updates: () => 0,
    intent: "migrate",
    back: [],
    givesUp: true,
    command: "migrates",
    approves: "command",
  },
  "launch-first": {
    ...plain,
    updates: steps("launch-first"),
    waits: () => aws.launchTemplate + launch,
    intent: "launch-first",
    back: [],
    suite: "new frontends",
  },
  "launch-rest": {
    ...plain,
    exists: ({ config, to }: RunShape) => config.generations[to]?.frontends !== 1,
    waits: ({ upgrade }: Config) => launch + upgrade.stableSeconds,
    updates: steps("launch-rest"),
    intent: "launch-rest",
    back: [],
    suite: "new frontends",
  },
  connect: {
    ...plain,
    updates: steps("connect"),
    waits: ({ upgrade }: Config) => upgrade.shiftPercent.length * upgrade.stepSeconds,
    intent: "connect",
    back: [withdraw],
    givesTraffic: true,
  },
  "suspend-array": {
    ...plain,
    exists: hasArray,
    updates: steps("suspend-array"),
    waits: () => launch,
    // The first update only records what an operator has suspended.
    idle: 1,
    intent: "suspend-array",
    back: [withdraw],
    suite: "new array",
  },
  "move-addresses": {
    ...plain,
    exists: hasAddresses,
    updates: steps("move-addresses"),
    intent: "move-addresses",
    back: [withdraw],
    command: "quiets",
    suite: "frontends",
  },
  "resume-array": {
    ...plain,
    exists: hasArray,
    updates: steps("resume-array"),
    intent: "resume-array",
    resumes: "to",
    back: [withdraw],
  },
  observe: {
    ...plain,
    updates: steps("observe"),
    waits: ({ upgrade, site }: Config) => Math.max(upgrade.bakeSeconds, longestStickinessSeconds(site)),
    intent: "observe",
    back: [withdraw],
    suite: "frontends",
  },
  drain: {
    ...plain,
    updates: steps("drain"),
    waits: ({ site }: Config) => longestDrainSeconds(site),
    intent: "drain",
    // Deregistered servers must be healthy again before traffic comes back to them.
    back: [readmit, withdraw],
    sessions: "awaited",
  },
  retire: {
    ...plain,
    updates: steps("retire"),
    waits: () => aws.end,
    intent: "retire",
    back: "no way",
    // Which servers end first depends on sessions, and the policy lets none of its plans do anything else.
    approves: "whole row",
    sessions: "ended one by one",
  },
  readmit: { ...plain, updates: steps(readmit), intent: readmit, back: "no way" },
  withdraw: {
    ...plain,
    updates: steps(withdraw),
    waits: ({ site }: Config) => longestDrainSeconds(site),
    intent: withdraw,
    back: "no way",
    resumes: "from",
  },
  settle: { ...plain, updates: () => 1, waits: () => aws.end, intent: "none", back: "no way", suite: "all servers" },
} as const satisfies Readonly<Record<Row, RowFacts>>;

/** A row's facts, for what is true of every row. */
export function factsOf(row: Row): RowFacts {
  return rows[row];
}

const doesOnTheWayBack: Readonly<Record<Exclude<Row, PhaseName>, string>> = {
  readmit: "registers the old servers again and tests them, before traffic comes back to them",
  withdraw: "puts traffic and addresses back, and then takes the new servers out of the pool",
  settle: "leaves one generation alone",
};

/** A row in words. */
export function descriptionOf(row: Row): string {
  return runbook.find(({ name }) => name === row)?.does ?? doesOnTheWayBack[row as Exclude<Row, PhaseName>];
}

/** The phase that runs one of the site's commands. */
export function phaseThat(command: RowFacts["command"]): PhaseName {
  const phase = phaseNames.find((name) => factsOf(name).command === command);
  if (phase === undefined) throw new Error(`No phase ${command}.`);
  return phase;
}

/** Whether there is a way back once the phase was begun. */
export function hasWayBack(row: Row): boolean {
  return factsOf(row).back !== "no way";
}

/** The phase that a stack has reached which was stepped by hand, by its row: out of the runbook it is on its way back. */
export function reachedBy(row: string): PhaseName {
  const leadsHere = (name: PhaseName) => factsOf(name).back[0] === row;
  return phaseNames.find((name) => name === row || leadsHere(name)) ?? firstPhase;
}
