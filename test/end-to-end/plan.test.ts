import assert from "node:assert/strict";
import { join } from "node:path";
import type { PlannedOperation, RunEvent } from "../../automation/documents/events.ts";
import type { Prediction } from "../../automation/plan/predict.ts";
import { projectDirectory } from "../../stacks/project.ts";
import { drive, editStack, handover, removeStackFile, run } from "./command-line.ts";
import { Site } from "./site.ts";

const name = "sandbox-plan";
const never = `${name}-never`;

describe("a plan of every phase before the first", () => {
  // A plan and a whole run in one test.
  let site: Site;

  before(async () => {
    site = await Site.up(name, (config) => {
      config["handover:generations"].blue.array = { minSize: 1, maxSize: 2 };
      config["handover:upgrade"].probe = {};
    });
    site.setGoal("green");
  });
  after(async () => {
    removeStackFile(never);
    await site?.down();
  });

  async function plan(...args: string[]): Promise<Prediction> {
    const before = await mutatingCalls();
    const { exitCode, stdout, stderr } = await handover("plan", "--stack", name, "--json", ...args);
    assert.equal(exitCode, 0, stdout + stderr);
    assert.deepEqual(await mutatingCalls(), before);
    return JSON.parse(stdout);
  }

  /** How often each operation of AWS was called that is no question. */
  async function mutatingCalls(): Promise<Record<string, number>> {
    const calls = await site.calls();
    assert.ok((calls["ec2.RunInstances"] ?? 0) > 0);
    return Object.fromEntries(
      Object.entries(calls).filter(([call]) => !/\.(Describe|Get|Query|List|Decrypt)/.test(call)),
    );
  }

  it("is what going back does then", async () => {
    const { phases, warnings } = await plan("--rollback-from", "resume-array");
    const paused = await drive(["upgrade", "--stack", name, "--pause-before", "observe"]);
    assert.equal(paused.exitCode, 3, paused.stdout);
    const { exitCode, events, stdout } = await drive(["rollback", "--stack", name]);
    assert.equal(exitCode, 0, stdout);
    assert.deepEqual(predicted(phases), done(events));
    assert.deepEqual(warnings, []);
  });

  it("has a way back from drain that the policy lets through", async () => {
    const { phases, warnings } = await plan("--rollback-from", "drain");
    assert.deepEqual(
      phases.map((phase) => phase.name),
      ["readmit", "withdraw", "settle"],
    );
    assert.deepEqual(warnings, []);
  });

  it("is what the upgrade does then, operation for operation", async () => {
    const { from, to, phases, warnings } = await plan();
    const { exitCode, events, stdout } = await drive(["upgrade", "--stack", name]);
    assert.equal(exitCode, 0, stdout);
    assert.deepEqual([from, to, warnings], ["blue", "green", []]);
    assert.deepEqual(predicted(phases), done(events));
    assert.deepEqual(
      phases.map((phase) => phase.name),
      events.flatMap((event) => (event.type === "phase-finished" ? [event.name] : [])),
    );
    for (const { name: phase, gates } of phases) {
      const seen = events.flatMap((event) => (event.type === "gate" && event.phase === phase ? [event.gate] : []));
      assert.deepEqual([...gates].sort(), [...new Set(seen)].sort(), phase);
    }
  });

  it("says that nothing is left to do", async () => {
    const { from, to, phases } = await plan();
    assert.deepEqual([from, to, predicted(phases)], ["green", "green", {}]);
    const { stdout } = await handover("plan", "--stack", name);
    assert.match(stdout, /green is live and the goal; an update would change nothing/);
  });

  it("is the first deployment's on a stack that was never deployed, which it leaves so", async () => {
    editStack(never, () => {}, name);
    const { exitCode, stdout, stderr } = await run(
      join(projectDirectory, "handover"),
      ["plan", "--stack", never, "--markdown"],
      site.env,
    );
    assert.equal(exitCode, 0, stdout + stderr);
    assert.match(stdout, /green is the goal, and an update would do: \d+ create/);
    const stacks = await run("pulumi", ["stack", "ls", "--all"], site.env);
    assert.ok(!stacks.stdout.includes(never), stacks.stdout + stacks.stderr);
  });
});

type ByPhase = Record<string, string[]>;

function predicted(phases: Prediction["phases"]): ByPhase {
  return byPhase(phases.flatMap(({ name: phase, operations }) => operations.map((each) => ({ phase, each }))));
}

function done(events: readonly RunEvent[]): ByPhase {
  return byPhase(
    events.flatMap((event) =>
      event.type === "plan" ? event.operations.map((each) => ({ phase: event.phase, each })) : [],
    ),
  );
}

function byPhase(operations: readonly { phase: string; each: PlannedOperation }[]): ByPhase {
  const phases: ByPhase = {};
  for (const { phase, each } of operations) {
    phases[phase] ??= [];
    phases[phase].push(`${each.op} ${each.type} ${each.name} (${[...each.properties].sort().join(", ")})`);
  }
  return Object.fromEntries(Object.entries(phases).map(([phase, lines]) => [phase, lines.sort()]));
}
