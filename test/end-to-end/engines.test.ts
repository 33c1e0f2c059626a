import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Traffic } from "../../sandbox/traffic/traffic.ts";
import { type Driven, drive, handover, run } from "./command-line.ts";
import { Site } from "./site.ts";

/** Refuses the options of update plans, as an engine does that does not know them. */
const withoutPlans = `for option; do
  case "$option" in --plan* | --save-plan*) echo "error: unknown flag: $option" >&2; exit 255 ;; esac
done`;

/** Finds other servers in a plan than those that were planned, once it has begun to apply it, and leaves a mark. */
const distrustful = `case "$*" in
  up*--plan*)
    for option; do
      case "$option" in *plan-*.json) sed -i 's/t3.medium/t3.large/g; s/t3.small/t3.large/g' "$option" ;; esac
    done
    "$pulumi" "$@" || { touch "$(dirname "$0")/refused"; exit 255; }
    exit ;;
esac`;

/** Changes what an update of `connect` declares before this command. */
const changingBefore = (command: string) => `if [ "$1" = ${command} ] && grep -q "phase: connect" Pulumi.*.yaml; then
  sed -i "s/deregistrationDelaySeconds: 2$/deregistrationDelaySeconds: 3/" Pulumi.*.yaml
fi`;

/** Makes plans, does not know them when they are applied, and then the update is another. */
const forgetful = `case "$*" in
  up*--plan*) echo "error: unknown flag: --plan" >&2; exit 255 ;;
  *--save-plan*) ;;
  *) ${changingBefore("preview")} ;;
esac`;

describe("an engine", () => {
  const directory = mkdtempSync(join(tmpdir(), "handover-test-"));
  const { PATH } = process.env;
  let site: Site;
  let pulumi: string;

  before(async () => {
    pulumi = (await run("sh", ["-c", "command -v pulumi"], process.env)).stdout.trim();
    use("");
    // The sandbox keeps the PATH with which it was started.
    process.env.PATH = [directory, PATH].join(delimiter);
    site = await Site.up("sandbox-engines");
    process.env.PATH = PATH;
  });
  after(async () => {
    process.env.PATH = PATH;
    await site.down();
    rmSync(directory, { recursive: true });
  });

  /** From now on the engine does this first. */
  function use(does: string): void {
    const file = join(directory, "pulumi");
    writeFileSync(file, `#!/bin/sh\npulumi="${pulumi}"\n${does}\nexec "$pulumi" "$@"\n`);
    chmodSync(file, 0o755);
  }

  async function upgradeTo(generation: string) {
    site.setGoal(generation);
    const traffic = await site.traffic();
    const driven = await drive(["upgrade", "--stack", site.name]);
    return { ...driven, failed: (await traffic.stop()).failed };
  }

  async function instances(): Promise<string[]> {
    const { instances } = (await site.cloud()) as { instances: { InstanceId: string }[] };
    return instances.map(({ InstanceId }) => InstanceId).toSorted();
  }

  async function doctor(): Promise<string> {
    return (await handover("doctor", "--stack", site.name)).stdout;
  }

  it("that binds an update to its plan is said to do so by doctor", async () => {
    assert.match(await doctor(), /engine: pulumi v3[.\d]+; it binds each update to its plan/);
  });

  it("without update plans replaces the servers and loses no request, and doctor says who compares", async () => {
    use(withoutPlans);
    assert.match(await doctor(), /engine: pulumi v3[.\d]+; it has no update plans, so Handover compares/);
    const { exitCode, failed, stdout, stderr } = await upgradeTo("green");
    assert.equal(exitCode, 0, stdout + stderr);
    assert.equal(failed, 0);
    assert.equal((await site.status()).live, "green");
  });

  it("that refuses its plan although nothing changed goes on by comparison", async () => {
    use(distrustful);
    const { exitCode, failed, stdout, stderr } = await upgradeTo("blue");
    assert.equal(exitCode, 0, stdout + stderr);
    assert.equal(failed, 0);
    assert.equal((await site.status()).live, "blue");
    assert.ok(existsSync(join(directory, "refused")));
  });

  describe("that would do more than was planned", () => {
    let old: readonly string[];
    let users: Traffic | undefined;

    before(async () => {
      old = await instances();
      site.setGoal("green");
      users = await site.traffic();
    });
    after(() => users?.stop());

    const applied = (events: Driven["events"]) =>
      events.some((event) => event.type === "applied" && event.phase === "connect");

    it("does not begin the update: the run pauses", async () => {
      use(forgetful);
      const { exitCode, events, last, stdout, stderr } = await drive(["upgrade", "--stack", site.name]);
      assert.equal(exitCode, 3, stdout + stderr);
      assert.match(
        String(last.message),
        /^The update would do what its plan does not have: update aws:lb\/targetGroup:TargetGroup (blue|green) \(deregistrationDelay\)\. It was not begun\. Nothing was taken back: blue serves\. Next: `handover resume --stack sandbox-engines`/,
      );
      assert.ok(!applied(events));
    });

    it("is stopped when it has begun to: the run pauses, and nothing is destroyed", async () => {
      use(`${withoutPlans}\n${changingBefore("up")}`);
      const { exitCode, events, last, stdout, stderr } = await drive(["resume", "--stack", site.name]);
      assert.equal(exitCode, 3, stdout + stderr);
      assert.equal(last.outcome, "paused");
      assert.match(
        String(last.message),
        /^The update began what its plan does not have: update aws:lb\/targetGroup:TargetGroup (blue|green) \(deregistrationDelay\)\. The engine was stopped\. Nothing was taken back: blue serves\. Look whether that took effect, and put it back\. Next: `handover resume --stack sandbox-engines`/,
      );
      assert.ok(!applied(events));
      const now = new Set(await instances());
      assert.deepEqual(
        old.filter((id) => !now.has(id)),
        [],
      );
      assert.equal((await site.status()).live, "blue");
    });

    it("lets resume reach the goal once that is put back and it does what is planned, and no request is lost", async () => {
      use("");
      for (const args of [
        ["config", "set", "handover:phase", "launch-rest"],
        ["up", "--yes", "--skip-preview"],
        ["config", "rm", "handover:phase"],
      ]) {
        const { exitCode, stdout, stderr } = await run("pulumi", [...args, "--stack", site.name], site.env);
        assert.equal(exitCode, 0, stdout + stderr);
      }
      const { exitCode, last, stdout, stderr } = await drive(["resume", "--stack", site.name]);
      assert.deepEqual([exitCode, last.live], [0, "green"], stdout + stderr);
      const report = await users?.stop();
      users = undefined;
      assert.equal(report?.failed, 0, JSON.stringify(report?.failures));
    });
  });
});
