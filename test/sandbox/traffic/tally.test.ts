import assert from "node:assert/strict";
import { seededRandom } from "../../../sandbox/network/random.ts";
import type { Result } from "../../../sandbox/traffic/client.ts";
import { Schedule } from "../../../sandbox/traffic/schedule.ts";
import { isCutByMove, type Sample, Tally } from "../../../sandbox/traffic/tally.ts";

const reset = { code: "ECONNRESET", connectionLost: true };

function sample(result: Partial<Result>, more: Partial<Sample> = {}): Sample {
  const { publicIp = "198.51.100.1" } = more;
  return {
    target: `${publicIp}:80`,
    publicIp,
    phase: "move-addresses",
    latencyMilliseconds: 5,
    lateMilliseconds: 1,
    ...more,
    result: { sent: 1_000, ended: 1_400, retried: false, ...result },
  };
}

function move(at: number, more: Partial<{ publicIp: string; from: string | null; to: string | null }> = {}) {
  return { publicIp: "198.51.100.1", from: "i-1", to: "i-2", at: 0, resets: [at], ...more };
}

describe("a request is cut by a move", () => {
  const lost = sample({ error: reset });

  it("when its address moved while it was in flight, give or take 50 ms, and its connection was lost", () => {
    const cut = [900, 950, 1_000, 1_200, 1_450, 1_500].map((at) => isCutByMove(lost, [move(at)]));
    assert.deepEqual(cut, [false, true, true, true, true, false]);
  });

  it("and not when another address moved, or it was refused, late, answered, or went to the load balancer", () => {
    assert.ok(!isCutByMove(lost, [move(1_200, { publicIp: "198.51.100.2" })]));
    assert.ok(!isCutByMove(sample({ error: { code: "ECONNREFUSED", connectionLost: false } }), [move(1_200)]));
    assert.ok(!isCutByMove(sample({ error: { code: "timeout", connectionLost: false } }), [move(1_200)]));
    assert.ok(!isCutByMove(sample({ status: 502 }), [move(1_200)]));
    assert.ok(!isCutByMove({ ...lost, publicIp: undefined }, [move(1_200)]));
  });

  it("and not when the address reset no connection at that moment, however long its move took", () => {
    assert.ok(!isCutByMove(lost, [{ ...move(900), resets: [900, 1_600] }]));
    assert.ok(isCutByMove(lost, [{ ...move(900), resets: [900, 1_200, 1_600] }]));
  });

  it("and not when the address was taken away or given, which is no move", () => {
    assert.ok(!isCutByMove(lost, [move(1_200, { to: null })]));
    assert.ok(!isCutByMove(lost, [move(1_200, { from: null })]));
  });
});

describe("the tally", () => {
  it("puts each request in one outcome, and counts by phase, target, generation and server", () => {
    const tally = new Tally();
    tally.add(
      sample({ status: 200, generation: "blue", server: "i-1" }, { phase: "connect", latencyMilliseconds: 10 }),
    );
    tally.add(sample({ status: 204, generation: "green", server: "i-2", retried: true }));
    tally.add(sample({ status: 500, generation: "green", server: "i-2" }));
    tally.add(sample({ error: reset }));
    tally.add(sample({ error: reset }, { publicIp: "198.51.100.2" }));
    const report = tally.report([move(1_200)], 2);
    const { requests, failed, cutByMove, retried, byGeneration, byServer, byTarget, achievedRequestsPerSecond } =
      report;
    assert.deepEqual({ requests, failed, cutByMove, retried }, { requests: 5, failed: 2, cutByMove: 1, retried: 1 });
    assert.deepEqual(byGeneration, { blue: 1, green: 2 });
    assert.deepEqual(byServer, { "i-1": 1, "i-2": 2 });
    assert.deepEqual(byTarget, {
      "198.51.100.1:80": { requests: 4, failed: 1, cutByMove: 1 },
      "198.51.100.2:80": { requests: 1, failed: 1, cutByMove: 0 },
    });
    assert.deepEqual(report.byPhase, {
      connect: {
        requests: 1,
        failed: 0,
        cutByMove: 0,
        byGeneration: { blue: 1 },
        latencyMilliseconds: { p50: 10, p95: 10, p99: 10, max: 10 },
      },
      "move-addresses": {
        requests: 4,
        failed: 2,
        cutByMove: 1,
        byGeneration: { green: 2 },
        latencyMilliseconds: { p50: 5, p95: 5, p99: 5, max: 5 },
      },
    });
    assert.equal(achievedRequestsPerSecond, 2.5);
    assert.equal(report.lateMilliseconds.max, 1);
  });

  it("knows the longest wait at each target, without the time that an answer was asked to take", () => {
    const tally = new Tally();
    tally.add(sample({ status: 200 }, { latencyMilliseconds: 1_210, askedMilliseconds: 1_200 }));
    tally.add(sample({ status: 200 }, { latencyMilliseconds: 1_005, askedMilliseconds: 4 }));
    tally.add(sample({ error: reset }, { latencyMilliseconds: 9_000 }));
    tally.add(sample({ status: 200 }, { publicIp: "198.51.100.2" }));
    assert.deepEqual(tally.report([], 1).longestWaitMilliseconds, { "198.51.100.1:80": 1_001, "198.51.100.2:80": 5 });
  });

  it("keeps samples of failures: what failed before what was cut", () => {
    const tally = new Tally();
    for (let index = 0; index < 30; index++) tally.add(sample({ error: reset }));
    tally.add(sample({ status: 503 }));
    const { failures } = tally.report([move(1_200)], 1);
    assert.equal(failures.length, 20);
    const [first, second] = failures;
    assert.deepEqual([first?.outcome, first?.status, first?.phase], ["failed", 503, "move-addresses"]);
    assert.deepEqual([second?.outcome, second?.error, second?.target], ["cutByMove", "ECONNRESET", "198.51.100.1:80"]);
  });
});

describe("the schedule", () => {
  it("makes arrivals due by the clock, each once, however late it is asked", () => {
    const schedule = new Schedule(100, "fixed", Math.random, 1_000);
    assert.deepEqual(schedule.due(1_009), []);
    assert.deepEqual(schedule.due(1_035), [1_010, 1_020, 1_030]);
    assert.deepEqual(schedule.due(1_039), []);
  });

  it("spreads Poisson arrivals at random around the rate, the same for the same seed", () => {
    const arrivals = () => new Schedule(200, "poisson", seededRandom(7), 0).due(10_000);
    assert.deepEqual(arrivals(), arrivals());
    const count = arrivals().length;
    assert.ok(count > 1_850 && count < 2_150, `${count} in 10 s`);
    const gaps = arrivals().map((at, index, all) => at - (all[index - 1] ?? 0));
    const long = gaps.filter((gap) => gap > 5).length / count;
    assert.ok(long > 0.3 && long < 0.44, "a share of 1/e is longer than the mean");
  });
});
