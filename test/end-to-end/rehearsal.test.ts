import assert from "node:assert/strict";
import { runbook } from "../../stacks/runbook.ts";
import { editStack, handover, removeStackFile } from "./command-line.ts";

describe("rehearsal", () => {
  it("takes a site from blue to green under load that its array grows with, and loses neither a request nor a server", async () => {
    const like = "rehearsal-whole-like";
    editStack(
      like,
      (config) => {
        const requests = { predefinedMetricType: "ALBRequestCountPerTarget", targetValue: 720, disableScaleIn: true };
        config["handover:generations"].blue.array = {
          minSize: 1,
          maxSize: 1,
          policies: { requests: { targetTracking: requests } },
        };
      },
      "staging",
    );
    const { exitCode, stdout, stderr } = await handover(
      ...["rehearse", "--json", "--name", "rehearsal-whole", "--like", like, "--array", "3"],
    );
    removeStackFile(like);
    assert.equal(exitCode, 0, stdout + stderr);
    const report = JSON.parse(stdout);
    const { outcome, failed, withoutWayOut, failures, servedWithoutWayOut } = report;
    assert.deepEqual(
      [outcome, failed, withoutWayOut],
      ["reached", 0, 0],
      JSON.stringify([failures, servedWithoutWayOut]),
    );
    assert.ok(report.requests > 1000 && report.byGeneration.blue > 0 && report.byGeneration.green > 0, stdout);
    assert.ok(report.arrays.blue === 3 && report.arrays.green > 3, JSON.stringify(report.arrays));
    assert.deepEqual(
      report.phases.map(({ name }: { name: string }) => name),
      runbook.map(({ name }) => name),
    );
    assert.equal(report.minuteSeconds, 1);
    assert.deepEqual(Object.keys(report.phases.at(-1).traffic.byGeneration), ["green"]);
  });

  describe("of a generation that does not work", () => {
    const like = "sandbox-unhealthy-like";
    before(() =>
      editStack(
        like,
        (config) => {
          config["handover:generations"].green.inputs.SIMULATE = "unhealthy";
          config["handover:upgrade"].gateSeconds = 5;
        },
        "staging",
      ),
    );
    after(() => removeStackFile(like));

    it("ends with the old one serving, the new one gone, nothing lost, and exit code 2", async () => {
      const { exitCode, stdout, stderr } = await handover(
        "rehearse",
        "--json",
        "--name",
        "rehearsal-broken",
        "--like",
        like,
      );
      assert.equal(exitCode, 2, stdout + stderr);
      const report = JSON.parse(stdout);
      assert.deepEqual([report.outcome, report.failed, Object.keys(report.byGeneration)], ["rolled-back", 0, ["blue"]]);
      assert.match(
        report.message,
        /^launch-first: .*smoke on each server: (fail|inconclusive): [^;]*"answered":500[\s\S]*blue serves, and green is gone/,
      );
    });
  });
});
