import { said } from "../../stacks/config/identify.ts";
import type { Config } from "../../stacks/config.ts";
import type { Baseline, Finding } from "../ledger/events.ts";
import type { RunIdentity } from "../runbook/rows.ts";

/** Warns of what a person should know before a run begins, from the configuration alone. */
export function warningsOf(config: Config, run: Pick<RunIdentity, "from" | "to">): string[] {
  return [...fewer(config, run), ...unjudged(config, run), ...alike(config, run)];
}

/** Every new server is healthy before an old one leaves; how many that are is the configuration's word. */
function fewer({ generations }: Config, { from, to }: Pick<RunIdentity, "from" | "to">): string[] {
  const [old, next] = [from, to].map((name) => generations[name]?.frontends ?? 0);
  if (old === undefined || next === undefined || next >= old) return [];
  return [
    `${to} declares ${next} frontends, and ${from} has ${old}: fewer servers will serve than before the run (handover:generations.${to}.frontends)`,
  ];
}

/** The load balancer counts what comes through it, and the driver what it asks itself. */
function unjudged({ site, upgrade }: Config, { from, to }: Pick<RunIdentity, "from" | "to">): string[] {
  const { probe, comparison } = upgrade;
  if (from === to || probe.enabled) return [];
  const remedy = "enable handover:upgrade.probe";
  if (!comparison.enabled) return [`nothing compares ${to} with ${from}: ${remedy} or handover:upgrade.comparison`];
  if (site.elasticIps.count === 0) return [];
  return [`nothing compares ${to} with ${from} for users who come by the Elastic IPs: ${remedy}`];
}

/** Answers of the two generations may say the same. */
function alike({ generations, upgrade }: Config, { from, to }: Pick<RunIdentity, "from" | "to">): string[] {
  const { [from]: old, [to]: next } = generations;
  const { identify } = upgrade;
  if (identify === undefined || old === undefined || next === undefined || from === to) return [];
  if (said(identify.equals, old) !== said(identify.equals, next)) return [];
  return [
    `answers of ${from} and ${to} say the same (handover:upgrade.identify.equals: ${identify.equals}), so which of them answers cannot be told; use an input that differs, or $generation`,
  ];
}

const kinds: Readonly<Record<Finding["kind"], string>> = {
  server: "",
  array: "array ",
  address: "address ",
  check: "check ",
  alarm: "alarm ",
  metric: "metric ",
  log: "log ",
};

/** Says what was bad before the run, for the screen, the plan and the report. */
export function findingsIn(
  { down, bad, unseen }: Baseline,
  { from, to }: Pick<RunIdentity, "from" | "to">,
  what = "the run",
): string[] {
  const atOnce = `${from} is down, so ${to} gets all traffic at once as soon as it is proven (handover:upgrade.whenOldIsDown)`;
  return [
    ...(down ? [`before ${what}: ${atOnce}`] : []),
    ...bad.map(({ kind, name, seen }) => `before ${what}: ${kinds[kind]}${name}: ${seen}; not held against ${to}`),
    ...unseen.map((reason) => `before ${what}: not seen: ${reason}`),
  ];
}
