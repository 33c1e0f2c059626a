import type { Config } from "./config.ts";
import { generationNames } from "./names.ts";
import { type IntentRow, isAfter, type PhaseName, readmit, withdraw } from "./runbook.ts";

/**
 * The kernel: phase -> the complete desired state of the stack, as plain data. Never a delta, so applying a row again
 * is resuming, and applying an earlier row is going back. It imports no Pulumi.
 */
export interface Intent {
  /** The stack's output `live`. */
  readonly live: string;
  readonly generations: Readonly<Record<string, GenerationIntent>>;
  /** Share of the public traffic by generation, in percent; the sum is 100. */
  readonly weights: Readonly<Record<string, number>>;
  /** The generation that the test host name reaches. */
  readonly testTarget: string;
  /** Holder of each Elastic IP. */
  readonly addresses: readonly AddressHolder[];
  /** True while the run's snapshot of the database is part of the stack; it is kept when it leaves the stack. */
  readonly snapshot: boolean;
}

export interface GenerationIntent {
  /** Number of its servers that exist. */
  readonly frontends: number;
  /** True while they, and its array's servers, are registered in the generation's target groups. */
  readonly registered: boolean;
  /** Undefined: it has none. */
  readonly array: ArrayIntent | undefined;
  /** Names of those that are there, where others have ended, or could not be launched anew. Default: all. */
  readonly left?: readonly string[];
}

/**
 * Activity allowed to an array, minus what an operator has suspended in it:
 * - `active`: autoscaling works;
 * - `recorded`: the same, and the run records what an operator has suspended before it suspends the rest;
 * - `suspended`: it launches and terminates nothing, and its servers stay in service;
 * - `filling`: it launches the servers that it was created for, and nothing else;
 * - `withdrawn`: as `filling`; created without servers if the run had not created it.
 */
export type ArrayIntent = "active" | "recorded" | "suspended" | "filling" | "withdrawn";

export interface AddressHolder {
  readonly generation: string;
  /** Index of the frontend; 0 is the first. */
  readonly frontend: number;
}

/** The part of the configuration on which the table depends. */
export interface SiteShape {
  readonly elasticIps: number;
  readonly database: boolean;
  readonly shiftPercent: readonly number[];
  /** Whether a server may need its Elastic IP to call the Internet. Default: it may. */
  readonly egress?: "required" | "none" | undefined;
  /** The most Elastic IPs that move in one update, after the first. Default: 20. */
  readonly addressBatch?: number;
  readonly generations: Readonly<Record<string, { readonly frontends: number; readonly array?: unknown }>>;
}

/** That part of a configuration. */
export function shapeOf({ site, upgrade, generations }: Config): SiteShape {
  const { elasticIps, database, network } = site;
  return {
    elasticIps: elasticIps.count,
    database: database !== undefined,
    shiftPercent: upgrade.shiftPercent,
    egress: network.egress,
    addressBatch: upgrade.addresses.batch,
    generations,
  };
}

/** The configuration of a run that gives all traffic in one step. */
export function allAtOnce(config: Config): Config {
  return { ...config, upgrade: { ...config.upgrade, shiftPercent: [100] } };
}

/** The stack outside a run: one generation serves. */
export function settled(site: SiteShape, live: string): Intent {
  return {
    live,
    generations: { [live]: whole(site, live) },
    weights: { [live]: 100 },
    testTarget: live,
    addresses: addresses(site, () => live),
    snapshot: false,
  };
}

/**
 * The stack in a phase of a run.
 * @param step 1 is the first; beyond the phase's last step means the last. Default: the last.
 * @param left old servers that `retire` leaves for now, or that are there on the way back, by name. Default: none; all on the
 * way back.
 * @param short old servers whose addresses stay with the new ones in the first step of the way back, by name: those that
 * cannot serve, or that are to have no address before all traffic is theirs
 */
export function intent(
  site: SiteShape,
  from: string,
  to: string,
  row: IntentRow,
  step = Number.POSITIVE_INFINITY,
  left: readonly string[] = [],
  short: readonly string[] = [],
): Intent {
  if (from === to) return settled(site, to);
  if (row === "retire") return left.length === 0 ? settled(site, to) : partlyRetired(site, from, to, left);
  if (row === withdraw)
    return onTheWayBack(withdrawn(site, from, to, step), { from, to, left, short: step === 1 ? short : [] });
  // As before the old servers left, but it is they who are proven through the test host name.
  if (row === readmit)
    return onTheWayBack({ ...intent(site, from, to, "observe"), testTarget: from }, { from, to, left, short: [] });
  const reached = (phase: PhaseName) => row === phase || isAfter(row, phase);
  const launched = reached("launch-rest") ? frontendsOf(site, to) : reached("launch-first") ? 1 : 0;
  const share = shareOfNew(site, row, step);
  const moved = reached("move-addresses") ? movedAddresses(site, row, step) : 0;
  return {
    live: from,
    generations: {
      [from]: { ...whole(site, from), registered: !reached("drain"), array: oldArray(site, from, row, step) },
      ...(launched > 0 && {
        [to]: { frontends: launched, registered: true, array: newArray(site, to, row, step) },
      }),
    },
    weights: { [from]: 100 - share, ...(launched > 0 && { [to]: share }) },
    testTarget: launched > 0 ? to : from,
    addresses: addresses(site, (index) => (index < moved ? to : from)),
    snapshot: site.database,
  };
}

/**
 * Number of steps in a row: traffic shares in `connect`; what is left of the traffic, the first address, and then batches
 * of addresses in `move-addresses`; `suspend-array` records what is suspended, suspends the old array, and then copies it
 * while its capacity stands still. No step both changes weights and deregisters servers.
 */
export function stepsOf(site: SiteShape, row: IntentRow): number {
  return steps[row](site);
}

const one = () => 1;

const steps: Readonly<Record<IntentRow, (site: SiteShape) => number>> = {
  backup: one,
  migrate: one,
  "launch-first": one,
  "launch-rest": one,
  connect: ({ shiftPercent }) => shiftPercent.length,
  "suspend-array": () => 3,
  "move-addresses": (site) => sharesBeforeMove(site) + batchesOf(site),
  "resume-array": one,
  observe: one,
  drain: one,
  retire: one,
  readmit: one,
  // A load balancer's node that learns of it late still sends requests to servers that are out of the pool.
  withdraw: (site) => (isTrafficFirst(site) ? 3 : 2),
};

/**
 * Whether a server has no traffic before its Elastic IP leaves it: with the address it may lose its way to the Internet,
 * and another one of its own comes only minutes later.
 * https://docs.aws.amazon.com/vpc/latest/userguide/vpc-ip-addressing.html
 */
export function isTrafficFirst({ elasticIps, egress }: SiteShape): boolean {
  return elasticIps > 0 && egress !== "none";
}

/** Steps of `move-addresses` that give the rest of the traffic to the new generation. */
function sharesBeforeMove(site: SiteShape): number {
  return isTrafficFirst(site) && site.shiftPercent.at(-1) !== 100 ? 1 : 0;
}

/** The first address moves alone. */
function batchesOf({ elasticIps, addressBatch = 20 }: SiteShape): number {
  return elasticIps === 0 ? 0 : 1 + Math.ceil((elasticIps - 1) / addressBatch);
}

/** Traffic and addresses are put back, and then the new servers leave the pool, where they drain. */
function withdrawn(site: SiteShape, from: string, to: string, step: number): Intent {
  return {
    ...settled(site, from),
    generations: {
      [from]: whole(site, from),
      [to]: {
        frontends: frontendsOf(site, to),
        registered: step < stepsOf(site, withdraw),
        array: hasArray(site, to) ? "withdrawn" : undefined,
      },
    },
    weights: { [from]: 100, [to]: 0 },
    snapshot: site.database,
  };
}

interface Staff {
  readonly from: string;
  readonly to: string;
  readonly left: readonly string[];
  readonly short: readonly string[];
}

/** The same where only some servers are there, new ones too, and some cannot serve: an address is where it is answered. */
function onTheWayBack(whole: Intent, { from, to, left, short }: Staff): Intent {
  const isThere = (generation: string, frontend: number) =>
    frontend < (whole.generations[generation]?.frontends ?? 0) &&
    (left.length === 0 || left.includes(generationNames.instance.of(generation, frontend)));
  const holderOf = ({ generation, frontend }: AddressHolder) => {
    const cannot = short.includes(generationNames.instance.of(generation, frontend)) || !isThere(generation, frontend);
    const other = generation === from ? to : from;
    return cannot && isThere(other, frontend) ? other : generation;
  };
  return {
    ...withOnly(withOnly(whole, from, left), to, left),
    addresses: whole.addresses.map((holder) => ({ ...holder, generation: holderOf(holder) })),
  };
}

/** The same where only some of a generation's servers are there; none named: all are. */
function withOnly(whole: Intent, name: string, left: readonly string[]): Intent {
  const generation = whole.generations[name];
  if (generation === undefined || left.length === 0) return whole;
  return { ...whole, generations: { ...whole.generations, [name]: { ...generation, left } } };
}

/** The state of `drain` without the old servers whose sessions have ended. */
function partlyRetired(site: SiteShape, from: string, to: string, left: readonly string[]): Intent {
  return withOnly(intent(site, from, to, "drain"), from, left);
}

function shareOfNew(site: SiteShape, row: PhaseName, step: number): number {
  if (row === "observe" || isAfter(row, "observe")) return 100;
  if (row === "connect") return site.shiftPercent[Math.min(step, site.shiftPercent.length) - 1] ?? 0;
  if (isTrafficFirst(site) && (row === "move-addresses" || isAfter(row, "move-addresses"))) return 100;
  return isAfter(row, "connect") ? (site.shiftPercent.at(-1) ?? 0) : 0;
}

/** The first address moves alone, then the rest in batches. */
function movedAddresses(site: SiteShape, row: PhaseName, step: number): number {
  const { elasticIps, addressBatch = 20 } = site;
  const batch = row === "move-addresses" ? step - sharesBeforeMove(site) : Number.POSITIVE_INFINITY;
  return batch < 1 ? 0 : Math.min(elasticIps, 1 + (batch - 1) * addressBatch);
}

function oldArray(site: SiteShape, name: string, row: PhaseName, step: number): ArrayIntent | undefined {
  if (!hasArray(site, name)) return undefined;
  if (row === "suspend-array") return step === 1 ? "recorded" : "suspended";
  return isAfter(row, "suspend-array") ? "suspended" : "active";
}

function newArray(site: SiteShape, name: string, row: PhaseName, step: number): ArrayIntent | undefined {
  if (!hasArray(site, name)) return undefined;
  if (row === "suspend-array") return step < 3 ? undefined : "filling";
  if (row === "resume-array" || isAfter(row, "resume-array")) return "active";
  return isAfter(row, "suspend-array") ? "filling" : undefined;
}

function addresses(site: SiteShape, holder: (index: number) => string): AddressHolder[] {
  return Array.from({ length: site.elasticIps }, (_, index) => ({ generation: holder(index), frontend: index }));
}

function whole(site: SiteShape, name: string): GenerationIntent {
  return { frontends: frontendsOf(site, name), registered: true, array: hasArray(site, name) ? "active" : undefined };
}

function frontendsOf(site: SiteShape, name: string): number {
  return site.generations[name]?.frontends ?? 0;
}

function hasArray(site: SiteShape, name: string): boolean {
  return site.generations[name]?.array !== undefined;
}
