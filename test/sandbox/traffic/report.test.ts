import assert from "node:assert/strict";
import { problemsOf, type TrafficReport } from "../../../sandbox/traffic/report.ts";
import { Tally } from "../../../sandbox/traffic/tally.ts";

const good: TrafficReport = { ...new Tally().report([], 1), withoutWayOut: 0, servedWithoutWayOut: [] };
const sample = { at: "2026-01-01T00:00:00.000Z", target: "198.51.100.1:80", phase: "connect" } as const;

describe("a load's report", () => {
  it("has a problem when a request failed, and none when one was cut by a move", () => {
    assert.deepEqual(problemsOf(good), []);
    assert.deepEqual(problemsOf({ ...good, cutByMove: 1, failures: [{ ...sample, outcome: "cutByMove" }] }), []);
    const failures = [{ ...sample, outcome: "failed", status: 503 } as const];
    const [problem, ...others] = problemsOf({ ...good, failed: 1, failures });
    assert.match(problem ?? "", /^1 failed: .*503/);
    assert.deepEqual(others, []);
  });

  it("has a problem when a server without a way out served a user, with server and phases", () => {
    const times = { first: sample.at, last: sample.at };
    const served = { server: "i-1", generation: "blue", requests: 7, ...times, phases: ["connect"] };
    const [problem, ...others] = problemsOf({ ...good, withoutWayOut: 7, servedWithoutWayOut: [served] });
    assert.match(problem ?? "", /^7 served without a way out: .*i-1.*connect/);
    assert.deepEqual(others, []);
  });
});
