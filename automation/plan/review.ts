import type { PhaseName } from "../../stacks/runbook.ts";
import { messageOf } from "../errors.ts";
import { LedgerMissingError } from "../ledger/errors.ts";
import { redactText } from "../ledger/redact.ts";
import { checkQuiet } from "../quiet/way.ts";
import { baselineOf } from "../run/before.ts";
import { checkElasticIps } from "../run/elastic-ips.ts";
import { checkImage } from "../run/image.ts";
import { checkLaunch } from "../run/launch.ts";
import { checkGoal, type OpenStack } from "../run/open-stack.ts";
import { otherWays } from "../run/other-ways.ts";
import { begunRun } from "../run/unfinished-run.ts";
import { phasesOf } from "../runbook/updates.ts";
import { openCopy } from "./copy.ts";
import { type Difference, generationDifferences } from "./differences.ts";
import { type Expected, expectedFor, expectedOn } from "./expected.ts";
import { type Prediction, predict } from "./predict.ts";
import { routeOf } from "./route.ts";

/** A prediction, with what a person wants to know beside it. */
export interface Review {
  readonly stack: string;
  readonly prediction: Prediction;
  /** Whether a phase would be refused: the run would stop there. */
  readonly refused: boolean;
  /** Differences of the new generation's declaration from the live one's. */
  readonly changes: readonly Difference[];
  readonly expected: Expected | undefined;
}

/**
 * Plans what `handover upgrade` would do, or going back after a phase.
 * @throws ConfigError or HandoverError (exit 1) when there is no way to the goal; nothing is changed in any case
 */
export async function review(stack: string, rollbackFrom: PhaseName | undefined, signal: AbortSignal): Promise<Review> {
  const copy = await openCopy(stack);
  try {
    const { opened } = copy;
    const { config, secrets, aws } = opened;
    checkGoal(opened);
    const goal = config.generations[config.live];
    const [begun, expected, , ways] = await Promise.all([
      begunRun(opened).catch(noneWithoutLedger),
      expectedOn(opened),
      goal && checkImage(aws, goal, signal).then(() => checkLaunch({ ...opened, launches: false }, signal)),
      waysOf(opened, signal),
      checkQuiet(opened, signal),
      checkElasticIps(opened, signal),
    ]);
    const route = routeOf({ ...opened, begun }, rollbackFrom);
    const { from, to } = route.identity;
    const redact = (text: string) => redactText(text, secrets);
    const baseline =
      from === to ? undefined : (begun?.baseline ?? (await baselineOf(opened, route.identity, redact, signal)));
    const { prediction: alone, refused } = await predict(copy, route, signal, baseline);
    const prediction = { ...alone, warnings: [...alone.warnings, ...(from === to ? [] : ways)] };
    const changes = generationDifferences(config.generations[from], config.generations[to], secrets);
    if (from === to) return { stack, prediction, refused, changes, expected: undefined };
    const isWhole = route.rows.length === phasesOf({ ...opened, from, to }).length;
    const times = expectedFor(route.rows, config, expected, isWhole);
    return { stack, prediction: withTimes(prediction, times), refused, changes, expected: times };
  } finally {
    copy.close();
  }
}

function withTimes(prediction: Prediction, { seconds, runs, phases }: Expected): Prediction {
  const timed = prediction.phases.map((phase) => ({ ...phase, expectedSeconds: phases[phase.name] }));
  return { ...prediction, expected: { seconds, runs }, phases: timed };
}

/** Warnings of what would pause the run; a role that only plans may not be allowed to look. */
async function waysOf({ aws, config, last }: OpenStack, signal: AbortSignal): Promise<string[]> {
  if (last === undefined) return [];
  try {
    const ways = await otherWays(aws, config, last.outputs, signal);
    return ways.map((way) => `${way}; the run would pause for it`);
  } catch (error) {
    return [`other ways to the servers were not looked for: ${messageOf(error)}`];
  }
}

/** The site's first deployment creates it. */
function noneWithoutLedger(error: unknown): undefined {
  if (!(error instanceof LedgerMissingError)) throw error;
}
