import assert from "node:assert/strict";
import { join } from "node:path";
import { addFault, clearFaults } from "../../sandbox/faults.ts";
import { get } from "../../sandbox/sandbox.ts";
import type { Traffic } from "../../sandbox/traffic/traffic.ts";
import { projectDirectory } from "../../stacks/project.ts";
import { drive, handover, run, startDriver } from "./command-line.ts";
import { Site } from "./site.ts";

describe("what cannot be seen", () => {
  let site: Site;
  let traffic: Traffic;

  before(async () => {
    site = await Site.up("sandbox-not-seen", (config) => {
      // More than the load balancer's lag, twice.
      Object.assign(config["handover:upgrade"], { gateSeconds: 5, propagationSeconds: 2 });
      // Answers do not say who gave them.
      config["handover:generations"].blue.inputs.SIMULATE = "anonymous";
      config["handover:live"] = "blue";
    });
    site.setGoal("green");
  });
  afterEach(() => clearFaults(get(site.name)));
  after(() => site.down());

  const goesBack = (text: string) => assert.doesNotMatch(text, /going back|rollback-started/i);

  /** The driver itself, in an environment of its own. */
  const driverIn = (env: NodeJS.ProcessEnv, ...args: string[]) =>
    run("tools/run", ["node", join(projectDirectory, "automation/cli/main.ts"), ...args, "--stack", site.name], {
      ...site.env,
      ...env,
    });

  it("stops a run before its backup where the load balancer's name is not known", async () => {
    const calls = await site.calls();
    const { exitCode, stderr, stdout } = await driverIn({ NODE_OPTIONS: "" }, "upgrade");
    assert.equal(exitCode, 3, stdout + stderr);
    assert.match(stderr, /load balancer's name \S+ is not known here .* Nothing was begun: blue serves\. Find out why/);
    goesBack(stderr);
    const { "ec2.CreateSnapshot": snapshots = 0 } = await site.calls();
    assert.equal(snapshots, calls["ec2.CreateSnapshot"] ?? 0);
  });

  it("does not begin with credentials that have expired, and says what serves and what to do", async () => {
    await addFault(get(site.name), { kind: "expired" });
    for (const command of ["upgrade", "status"]) {
      const { exitCode, stderr } = await driverIn({}, command);
      assert.equal(exitCode, 3, stderr);
      assert.match(stderr, /expired.*aws sso login/);
      assert.doesNotMatch(stderr, /should not have happened/);
      goesBack(stderr);
    }
  });

  it("does not begin a phase with credentials that end before it would", async () => {
    const AWS_CREDENTIAL_EXPIRATION = new Date(Date.now() + 30_000).toISOString();
    const { exitCode, stdout, stderr } = await driverIn({ AWS_CREDENTIAL_EXPIRATION }, "upgrade");
    assert.equal(exitCode, 3, stdout + stderr);
    assert.match(stdout, /The credentials end in \d+ s .* Nothing was taken back: blue serves/);
    goesBack(stdout + stderr);
  });

  it("pauses a run when credentials expire while traffic is shared", async () => {
    traffic = await site.traffic();
    const driver = startDriver(["resume", "--stack", site.name]);
    await driver.seen("applied", "connect");
    await addFault(get(site.name), { kind: "expired" });
    const { exitCode, last, stdout, stderr, events } = await driver.ended;
    assert.equal(exitCode, 3, stdout + stderr);
    assert.match(String(last.message), /expired.* serve.*aws sso login.*handover resume --stack sandbox-not-seen/i);
    assert.deepEqual(
      events.filter(({ type }) => type === "rollback-started"),
      [],
    );
  });

  it("keeps no run from its goal: where nothing tells who gets requests it waits blindly, and says so", async () => {
    await addFault(get(site.name), { kind: "denied", operation: "GetMetricData" });
    const resumed = await drive(["resume", "--stack", site.name, "--wait", "90s"]);
    assert.equal(resumed.exitCode, 0, resumed.stdout + resumed.stderr);
    const { failed, failures } = await traffic.stop();
    assert.equal(failed, 0, JSON.stringify(failures));
    const said =
      /move-addresses: weights everywhere: none on blue: not judged: .* cannot be counted; \d+ s were waited blindly/;
    const warned = resumed.events.flatMap((event) => (event.type === "warning" ? event.message : []));
    assert.match(warned.join("\n"), said);
    const report = await handover("report", "--stack", site.name);
    assert.match(report.stdout, said);
  });
});
