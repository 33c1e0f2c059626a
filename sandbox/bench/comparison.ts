/**
 * Measures how often the comparison is right: 100 comparisons each of a generation equal to the old one, and of a worse
 * one. A new generation with a tenth of 100 requests a second and everything else by default, with a load balancer that
 * publishes every minute, as on AWS, and every second, as in the sandbox, where the gate looks sixty times as often. A
 * period is judged when it is final: two more later.
 * `make bench`; `--seed` chooses other chances.
 */
import { parseArgs } from "node:util";
import { Comparison } from "../../automation/gates/comparison.ts";
import type { Observation } from "../../automation/gates/gate.ts";
import { comparisonSchema } from "../../stacks/config/watch-schema.ts";
import { type Behaviour, SimulatedBalancer } from "./simulated-balancer.ts";

const comparisons = 100;
const wanted = 99;
const usual: Behaviour = { requestsPerSecond: 100, errorShare: 0.005, medianMilliseconds: 80, slowMilliseconds: 0 };

const cases = [
  { name: "equal to the old one", right: "pass", next: usual },
  { name: "errors=0.05", right: "fail", next: { ...usual, errorShare: 0.05 } },
  { name: "slow=800", right: "fail", next: { ...usual, slowMilliseconds: 800 } },
] as const;

const { values } = parseArgs({ options: { seed: { type: "string", default: "1" } } });
const seed = Number(values.seed);
let enough = true;
for (const periodSeconds of [60, 1]) {
  for (const { name, right, next } of cases) {
    const seeds = Array.from({ length: comparisons }, (_, index) => seed * 1_000_000 + index);
    const outcomes = await Promise.all(seeds.map((one) => compare(next, periodSeconds, one)));
    const count = outcomes.filter(({ verdict }) => verdict === right).length;
    const seconds = outcomes.map((outcome) => outcome.seconds).sort((a, b) => a - b);
    enough &&= count >= wanted;
    console.log(
      `comparison, periods of ${periodSeconds} s, ${name}: ${count} of ${comparisons} ${right}, after ${seconds[comparisons / 2]} s in the middle and ${seconds.at(-1)} s at most`,
    );
  }
}
console.log(enough ? `at least ${wanted} of ${comparisons} each` : `fewer than ${wanted} of ${comparisons}`);
process.exitCode = enough ? 0 : 1;

/** One traffic step, period by period, until there is a verdict or patience is over. */
async function compare(
  next: Behaviour,
  periodSeconds: number,
  seed: number,
): Promise<{ verdict: Observation["verdict"]; seconds: number }> {
  const settings = comparisonSchema.parse({ periodSeconds });
  const balancer = new SimulatedBalancer(seed);
  const start = 60_000_000_000;
  let now = start;
  const sides = {
    loadBalancerArn: "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/www/1",
    next: { name: "green", targetGroupArn: "green", weight: 10 },
    old: { name: "blue", targetGroupArn: "blue", weight: 90 },
  };
  const gate = new Comparison(balancer, sides, settings, () => now);
  const { signal } = new AbortController();
  for (;;) {
    const span = { start: now, end: now + periodSeconds * 1000 };
    balancer.serve("green", span, periodSeconds, { ...next, requestsPerSecond: next.requestsPerSecond * 0.1 });
    balancer.serve("blue", span, periodSeconds, { ...usual, requestsPerSecond: usual.requestsPerSecond * 0.9 });
    now = span.end;
    const { verdict } = await gate.observe(signal);
    const seconds = (now - start) / 1000;
    if (verdict !== "pending" || seconds >= gate.patienceSeconds) return { verdict, seconds };
  }
}
