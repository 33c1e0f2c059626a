import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { SuspendProcessesCommand } from "@aws-sdk/client-auto-scaling";
import { childOf } from "../../sandbox/chaos/driver-process.ts";
import { addFault, clearFaults } from "../../sandbox/faults.ts";
import { get } from "../../sandbox/sandbox.ts";
import type { Traffic } from "../../sandbox/traffic/traffic.ts";
import { isAfter, isIntentRow, type PhaseName } from "../../stacks/runbook.ts";
import { eventually } from "../sandbox/support.ts";
import { ArrayWatch } from "./array-watch.ts";
import { type Driven, drive, startDriver } from "./command-line.ts";
import { Site } from "./site.ts";

describe("an upgrade with an array", () => {
  let site: Site;
  let watch: ArrayWatch;
  let traffic: Traffic;
  before(async () => {
    site = await Site.up("sandbox-array", (config) => {
      config["handover:generations"].blue.array = { minSize: 2, maxSize: 6 };
      config["handover:upgrade"].gateSeconds = 30;
      // Longer than the load balancer's lag: what autoscaling takes away ends after this delay, whoever still knows it.
      config["handover:site"].loadBalancer.deregistrationDelaySeconds = 5;
      config["handover:upgrade"].smoke.push({ ssm: { parameters: { commands: ['test -n "$GENERATION"'] } } });
    });
    watch = new ArrayWatch(site.settings);
    await watch.scale("blue", +1, "before");
    const { AutoScalingGroupName } = (await watch.groupOf("blue")) ?? {};
    await watch.scaling.send(new SuspendProcessesCommand({ AutoScalingGroupName, ScalingProcesses: ["AZRebalance"] }));
    traffic = await site.traffic(100);
    site.setGoal("green");
  });
  after(async () => {
    await watch?.stop();
    await site?.down();
  });

  /** At the start of each phase and after its first update, autoscaling adds a server and takes one away, by turns. */
  const upgrade = async (): Promise<Driven> => {
    const moments = new Set<string>();
    let scaled = Promise.resolve();
    const driver = startDriver(["upgrade", "--stack", site.name], (event) => {
      if ((event.type !== "phase-started" && event.type !== "applied") || !isIntentRow(event.phase)) return;
      const moment = `${event.phase} ${event.type}`;
      if (moments.has(moment)) return;
      moments.add(moment);
      const change = moments.size % 2 === 1 ? +1 : -1;
      const generation = isAfter(event.phase as PhaseName, "suspend-array") ? "green" : "blue";
      scaled = scaled.then(() => watch.scale(generation, change, moment));
    });
    const driven = await driver.ended;
    await scaled;
    return driven;
  };
  const sizeOf = async (generation: string) => {
    const group = await watch.groupOf(generation);
    const suspended = (group?.SuspendedProcesses ?? []).map(({ ProcessName = "" }) => ProcessName).sort();
    return { desired: group?.DesiredCapacity, servers: group?.Instances?.length, suspended };
  };
  /** As autoscaling left it; the last change may still be under way. */
  const isAsLeft = async (generation: string) => {
    const desired = watch.wanted.get(generation) ?? 0;
    const expected = { desired, servers: desired, suspended: ["AZRebalance"] };
    await eventually(async () => isDeepStrictEqual(await sizeOf(generation), expected)).catch(() => {});
    assert.deepEqual(await sizeOf(generation), expected);
  };

  it("reaches the goal with the new array as autoscaling left it and its servers checked, and what an operator had suspended", async () => {
    const { exitCode, stdout, events } = await upgrade();
    assert.equal(exitCode, 0, stdout);
    await isAsLeft("green");
    assert.equal((await watch.groups()).length, 1);
    const documents = events.flatMap((event) =>
      event.type === "gate" && event.gate.startsWith("smoke document") ? [`${event.phase}: ${event.verdict}`] : [],
    );
    assert.deepEqual(documents, ["launch-first: pass", "launch-rest: pass", "suspend-array: pass"]);
  });

  it("finds nothing to do in a plain update, whatever autoscaling did in between", async () => {
    await watch.scale("green", +1, "settled");
    const { exitCode, stdout } = await drive(["upgrade", "--stack", site.name]);
    assert.equal(exitCode, 0, stdout);
    assert.match(stdout, /"operations":\[\]/);
    await isAsLeft("green");
  });

  it("reverts nothing that autoscaling did in any phase, keeps as many servers as it wants, and loses no request", async () => {
    await watch.stop();
    assert.deepEqual(watch.problems, []);
    const report = await traffic.stop();
    assert.equal(report.failed, 0, JSON.stringify(report.failures.slice(0, 5)));
  });

  it("goes on when the provider died after it created the new array and before it suspended that", async () => {
    site.setGoal("blue");
    const suspensions = async () => (await site.calls())["autoscaling.SuspendProcesses"] ?? 0;
    let killed = Promise.resolve();
    const driver = startDriver(["upgrade", "--stack", site.name], (event) => {
      if (event.type !== "plan" || event.phase !== "suspend-array" || event.step !== 3) return;
      killed = (async () => {
        const before = await suspensions();
        await addFault(get(site.name), { kind: "error", operation: "SuspendProcesses" });
        await eventually(async () => (await suspensions()) > before);
        process.kill(childOf(get(site.name).processes.provider ?? 0) ?? 0, "SIGKILL");
        await clearFaults(get(site.name));
      })();
    });
    const { exitCode, stdout } = await driver.ended;
    await killed;
    assert.equal(exitCode, 3, stdout);
    assert.match(stdout, /is adopted as blue/);
    const resumed = await drive(["resume", "--stack", site.name]);
    assert.equal(resumed.exitCode, 0, resumed.stdout);
    assert.deepEqual((await sizeOf("blue")).suspended, ["AZRebalance"]);
    assert.equal((await watch.groups()).length, 1);
  });
});
