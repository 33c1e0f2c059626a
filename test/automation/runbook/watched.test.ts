import assert from "node:assert/strict";
import { noAlarm } from "../../../automation/gates/alarms.ts";
import { type Gate, watch } from "../../../automation/gates/gate.ts";
import { fewMatches } from "../../../automation/gates/logs.ts";
import { metricWithin } from "../../../automation/gates/metrics.ts";
import { logSchema, metricSchema } from "../../../stacks/config/watch-schema.ts";

const { signal } = new AbortController();
const minute = 60_000;
const begun = 1_000_000 * minute;
/** Time passes at every look. */
const clock = (seconds = 60) => {
  let now = begun - seconds * 1000;
  return () => {
    now += seconds * 1000;
    return now;
  };
};
const unreachable = () => Promise.reject(new Error("no route"));
const inconclusive = async (gate: Gate) => {
  assert.equal(gate.patienceSeconds, 0);
  const [result] = await watch([gate], 3600, signal);
  return [result?.verdict, result?.evidence];
};

describe("CloudWatch metrics", () => {
  const share = metricSchema.parse({
    name: "errors",
    cloudWatch: {
      metrics: {
        errors: { namespace: "Site", metricName: "Errors", dimensions: { Group: "$targetGroup" }, stat: "Sum" },
        requests: { namespace: "Site", metricName: "Requests", stat: "Sum" },
      },
      expression: "100 * errors / requests",
    },
    atMost: 1,
  });
  const answering = (...values: number[]) => ({
    metricData: async () => new Map([["x", new Map(values.map((value, index) => [begun + index * minute, value]))]]),
  });
  const observe = (metric: typeof share, ...values: number[]) =>
    metricWithin(answering(...values), metric, {}, 10, clock(180)).observe(signal);

  it("ask for the expression's value only, with the new generation's target group", async () => {
    const asked: unknown[] = [];
    const cloudWatch = {
      metricData: async (...question: unknown[]) => {
        asked.push(...question.slice(0, 2));
        return new Map();
      },
    };
    await metricWithin(cloudWatch, share, { targetGroup: "targetgroup/green/1" }, 10, clock(180)).observe(signal);
    const metric = (MetricName: string, Dimensions: object[]) => ({
      Metric: { Namespace: "Site", MetricName, Dimensions },
      Stat: "Sum",
      Period: 60,
    });
    assert.deepEqual(asked, [
      [
        {
          Id: "errors",
          ReturnData: false,
          MetricStat: metric("Errors", [{ Name: "Group", Value: "targetgroup/green/1" }]),
        },
        { Id: "requests", ReturnData: false, MetricStat: metric("Requests", []) },
        { Id: "handoverResult", Expression: "100 * errors / requests", ReturnData: true },
      ],
      { start: begun, end: begun + minute },
    ]);
  });

  it("pass while every period keeps the limit", async () => {
    assert.equal((await observe(share, 0.5, 1)).verdict, "pass");
    assert.equal((await observe({ ...share, atMost: undefined, atLeast: 1 }, 1, 2)).verdict, "pass");
  });

  it("take no period for evidence that may still be revised", async () => {
    for (const seconds of [60, 120]) {
      const gate = metricWithin(answering(2), share, {}, 10, clock(seconds));
      assert.equal((await gate.observe(signal)).verdict, "pending");
    }
  });

  it("fail when one does not, and say which values", async () => {
    const { verdict, evidence } = await observe(share, 0.5, 2, 0.5);
    assert.deepEqual([verdict, (evidence as { beyond: unknown }).beyond], ["fail", [2]]);
    assert.equal((await observe({ ...share, atMost: undefined, atLeast: 1 }, 0.5)).verdict, "fail");
  });

  it("are pending without a value, and inconclusive after the gate's own time and when CloudWatch cannot be reached", async () => {
    assert.equal((await observe(share)).verdict, "pending");
    assert.equal((await inconclusive(metricWithin(answering(), share, {}, 0, clock(180))))[0], "inconclusive");
    const away = metricWithin({ metricData: unreachable }, share, {}, 0, clock(180));
    assert.deepEqual(await inconclusive(away), ["inconclusive", { error: "no route" }]);
  });
});

describe("alarms", () => {
  const states = (...alarms: [string, string][]) => ({ alarmStates: async () => new Map(alarms) });
  const observe = (...alarms: [string, string][]) =>
    noAlarm(
      states(...alarms),
      alarms.map(([name]) => name),
      10,
    ).observe(signal);

  it("pass when none is in ALARM", async () => {
    assert.equal((await observe(["a", "OK"], ["b", "INSUFFICIENT_DATA"])).verdict, "pass");
  });

  it("fail when one is, and name it", async () => {
    const { verdict, evidence } = await observe(["a", "OK"], ["b", "ALARM"]);
    assert.deepEqual([verdict, evidence], ["fail", { alarms: ["b"] }]);
  });

  it("are inconclusive after the gate's own time when one does not exist or CloudWatch cannot be reached", async () => {
    assert.deepEqual(await inconclusive(noAlarm(states(["a", "OK"]), ["a", "b"], 0)), [
      "inconclusive",
      { error: "there is no alarm b" },
    ]);
    assert.equal((await inconclusive(noAlarm({ alarmStates: unreachable }, ["a"], 0)))[0], "inconclusive");
  });
});

describe("log patterns", () => {
  const config = logSchema.parse({ group: "/www/error", pattern: "ERROR", atMost: 1 });
  const writers = {
    next: { instanceIds: async () => ["i-new"], weight: 10 },
    old: { instanceIds: async () => ["i-old"], weight: 90 },
  };
  /** Matches by stream: in the 15 minutes before the step, and in its first minute. */
  const logging = (before: Record<string, number>, since: Record<string, number>) => ({
    logEvents: async (_group: string, _pattern: string, { start }: { start: number }) => {
      const streams = Object.entries(start < begun ? before : since);
      const events = streams.flatMap(([stream, count]) =>
        Array.from({ length: count }, (_, index) => ({ stream, message: `ERROR ${index} of ${stream}\n` })),
      );
      return { events, more: false };
    },
  });
  const observe = (before: Record<string, number>, since: Record<string, number>, of = writers) =>
    fewMatches(logging(before, since), config, of, 10, clock()).observe(signal);

  it("pass when the new generation logs them no more often than the old one at its share of the traffic", async () => {
    const { verdict, evidence } = await observe({}, { "i-new": 2, "i-old": 9 });
    assert.equal(verdict, "pass");
    const { samples, ...counts } = evidence as Record<string, unknown>;
    assert.deepEqual(counts, { perMinute: 2, usualPerMinute: 1, atMost: 1 });
    assert.deepEqual(samples, ["ERROR 0 of i-new", "ERROR 1 of i-new"]);
  });

  it("fail when it logs them more often, and quote some", async () => {
    const { verdict, evidence } = await observe({}, { "i-new": 3, "i-old": 9 });
    assert.equal(verdict, "fail");
    assert.match(JSON.stringify(evidence), /ERROR 2 of i-new/);
  });

  it("hold it against the old one's last minutes when that gets no traffic any more", async () => {
    const bake = { next: { ...writers.next, weight: 100 }, old: { ...writers.old, weight: 0 } };
    assert.equal((await observe({ "www/i-old": 30 }, { "www/i-new": 3 }, bake)).verdict, "pass");
    assert.equal((await observe({ "www/i-old": 15 }, { "www/i-new": 3 }, bake)).verdict, "fail");
  });

  it("hold the step against the minutes before where the streams name no instance", async () => {
    assert.equal((await observe({ www: 15 }, { www: 2 })).verdict, "pass");
    assert.equal((await observe({ www: 15 }, { www: 3 })).verdict, "fail");
  });

  it("are inconclusive after the gate's own time when CloudWatch Logs cannot be reached", async () => {
    const gate = fewMatches({ logEvents: unreachable }, config, writers, 0, clock());
    assert.deepEqual(await inconclusive(gate), ["inconclusive", { error: "no route" }]);
  });
});
