import type { Rehearsal } from "../../../sandbox/rehearsal.ts";
import { stackToRehearse } from "../../engine/stack-file.ts";
import { exitCodes } from "../../errors.ts";
import { interrupts } from "../interrupts.ts";
import { phaseTable, progressLines } from "../progress.ts";
import { type Command, lagOptions, note, print, printJson } from "./command.ts";

interface Arguments {
  readonly name: string;
  readonly like: string;
  readonly frontends?: number;
  readonly array?: number;
  readonly "balancer-lag": number;
  readonly "stale-reads"?: number;
  readonly plugin?: string;
  readonly to?: string;
  readonly rate: number;
  readonly "answer-milliseconds": number;
}

export const rehearseCommand: Command<Arguments> = {
  command: "rehearse",
  task: "begin",
  describe: "run a whole upgrade under load in a sandbox of its own: up, load, upgrade, verdict, down",
  examples: [
    ["rehearse", "two servers, 200 requests per second, from the live generation to the next"],
    ["rehearse --like production --to green --frontends 2", "the upgrade of another stack's file, with fewer servers"],
    ["rehearse --json > rehearsal.json", "the figures as one document; exit code 0 when users lost nothing"],
  ],
  builder: {
    name: { type: "string", default: "rehearsal", requiresArg: true, describe: "name of the sandbox and of its stack" },
    like: { type: "string", default: stackToRehearse(), requiresArg: true, describe: "stack whose file to copy" },
    frontends: { type: "number", requiresArg: true, describe: "number of frontends of each generation" },
    array: { type: "number", requiresArg: true, describe: "number of servers of each generation's array" },
    ...lagOptions,
    plugin: { type: "string", requiresArg: true, describe: "another pulumi-resource-aws than the sandbox's own" },
    to: { type: "string", requiresArg: true, describe: "generation to go to (default: the first that is not live)" },
    rate: { type: "number", default: 200, requiresArg: true, describe: "requests per second" },
    "answer-milliseconds": {
      ...{ type: "number", default: 0, requiresArg: true },
      describe: "longest time in which the sample application answers",
    },
  },
  async run({
    json,
    verbose,
    quiet,
    rate,
    "balancer-lag": balancerLagSeconds,
    "stale-reads": staleReadSeconds,
    "answer-milliseconds": answerMilliseconds,
    ...others
  }) {
    const options = { ...others, balancerLagSeconds, staleReadSeconds, answerMilliseconds };
    const { rehearse } = await import("../../../sandbox/rehearsal.ts");
    const signals = interrupts(note);
    try {
      const listener = json ? () => undefined : progressLines(note, { verbose, quiet });
      const rehearsal = await rehearse({ ...options, requestsPerSecond: rate, listener, signals });
      if (json) printJson("rehearsal", document(rehearsal));
      else print(verdict(rehearsal));
      if (rehearsal.result.exitCode !== 0) return rehearsal.result.exitCode;
      return rehearsal.problems.length === 0 ? exitCodes.reached : exitCodes.needsPerson;
    } finally {
      signals.dispose();
    }
  },
};

function document({ result, traffic, arrays, minuteSeconds, memoryMegabytes, totalSeconds }: Rehearsal) {
  const { outcome, from, to, seconds, phases, message } = result;
  const {
    requests,
    failed,
    cutByMove,
    withoutWayOut,
    servedWithoutWayOut,
    byGeneration,
    byPhase,
    longestWaitMilliseconds,
    latencyMilliseconds,
    failures,
  } = traffic;
  return {
    outcome,
    from,
    to,
    requests,
    failed,
    cutByMove,
    withoutWayOut,
    servedWithoutWayOut,
    byGeneration,
    arrays,
    seconds,
    phases: phases.map((phase) => ({ ...phase, traffic: byPhase[phase.name] })),
    longestWaitMilliseconds,
    latencyMilliseconds,
    minuteSeconds,
    totalSeconds,
    memoryMegabytes,
    failures,
    ...(message !== undefined && { message }),
  };
}

function verdict({ result, traffic, arrays, minuteSeconds, memoryMegabytes, totalSeconds }: Rehearsal): string[] {
  const { from, to, seconds, phases, outcome, message } = result;
  const count = (value: number) => value.toLocaleString("en-US");
  const byName = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, each]) => `${name} ${count(each)}`)
      .join(", ");
  const overhead = Math.max(0, ...phases.map((phase) => phase.overheadSeconds));
  const ledger = Math.max(0, ...phases.map((phase) => phase.ledgerSeconds));
  const { p50, p99, max } = traffic.latencyMilliseconds;
  const lacked = traffic.withoutWayOut === 0 ? "" : `, ${count(traffic.withoutWayOut)} served without a way out`;
  return [
    "",
    ...phaseTable(phases),
    "",
    `answers by generation: ${byName(traffic.byGeneration)}`,
    ...(Object.keys(arrays).length === 0 ? [] : [`servers of the array: ${byName(arrays)}`]),
    `latency: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${max.toFixed(0)} ms`,
    `in flight through an address at its move: ${count(traffic.cutByMove)}`,
    ...Object.entries(traffic.longestWaitMilliseconds).map(
      ([target, milliseconds]) => `longest wait at ${target}: ${milliseconds.toFixed(0)} ms`,
    ),
    `served by servers without a way out: ${count(traffic.withoutWayOut)}`,
    ...traffic.servedWithoutWayOut.slice(0, 10).map((served) => `without a way out: ${JSON.stringify(served)}`),
    ...traffic.failures.slice(0, 10).map((failure) => `failed: ${JSON.stringify(failure)}`),
    `a minute lasts ${minuteSeconds} s here: of the load balancer's metrics, of status checks and of autoscaling`,
    `driver's overhead: at most ${overhead.toFixed(1)} s in a phase, ${ledger.toFixed(2)} s for the ledger; memory: ${memoryMegabytes.toFixed(0)} MB; whole rehearsal: ${totalSeconds.toFixed(0)} s`,
    ...(message === undefined ? [] : [message]),
    `${from} -> ${to}${outcome === "reached" ? "" : ` ${outcome}`} in ${seconds.toFixed(0)} s: ${count(traffic.requests)} requests, ${count(traffic.failed)} failed${lacked}`,
  ];
}
