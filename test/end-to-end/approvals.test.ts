import assert from "node:assert/strict";
import { type Driven, drive, handover } from "./command-line.ts";
import { Secrets } from "./secrets.ts";
import { differences, Site } from "./site.ts";

describe("a run that waits for approvals, on a site with secrets", () => {
  let site: Site;
  let secrets: Secrets;
  /** Of the plan that waits. */
  let digest: unknown;
  const printed: string[] = [];

  before(async () => {
    secrets = new Secrets();
    site = await Site.up("sandbox-approvals", secrets.edit);
    await secrets.plant(site);
    site.setGoal("green");
    secrets.watch();
  });
  after(async () => {
    secrets.forget();
    await site.down();
  });

  const approve = (plan: unknown) => handover("approve", "--stack", site.name, "--digest", String(plan), "--json");
  const pausing = async (command: string, ...phases: string[]) => {
    const before = phases.flatMap((phase) => ["--pause-before", phase]);
    const driven = await drive([command, "--stack", site.name, ...before]);
    secrets.seen(`handover ${command}`, driven.stdout + driven.stderr);
    printed.push(...driven.events.flatMap((event) => (event.type === "output" ? [event.line] : [])));
    return driven;
  };

  describe("a run that is given up", () => {
    it("leaves the stack as it was, but for the snapshot in the cloud, and nothing to go on with", async () => {
      const before = await site.state();
      const { exitCode, stdout } = await pausing("upgrade", "migrate");
      assert.equal(exitCode, 3, stdout);
      const given = await drive(["abort", "--stack", site.name]);
      assert.deepEqual([given.exitCode, given.last.outcome, given.last.live], [0, "aborted", "blue"], given.stdout);
      assert.deepEqual(differences(await site.state(), before), []);
      for (const command of ["abort", "resume", "rollback"]) {
        const after = await drive([command, "--stack", site.name]);
        assert.deepEqual([after.exitCode, errorCode(after)], [1, "no-run"], after.stdout);
      }
    });
  });

  describe("an approval", () => {
    it("is waited for before the migrations, which have not run then", async () => {
      const { exitCode, last, events, stdout } = await pausing("upgrade", "migrate");
      assert.deepEqual([exitCode, last.outcome, typeof last.digest], [3, "paused", "string"], stdout);
      assert.ok(!events.some((event) => event.type === "output"));
      assert.equal((await approve(last.digest)).exitCode, 0);
    });

    it("is waited for before a phase, with its operations and their digest", async () => {
      const { exitCode, last, events, stdout } = await pausing("resume", "launch-first");
      assert.deepEqual([exitCode, last.outcome], [3, "paused"], stdout);
      const plan = events.findLast((event) => event.type === "plan");
      assert.equal(plan?.digest, last.digest);
      assert.ok(plan?.operations.some(({ op, name }) => op === "create" && name === "green-1"));
      digest = last.digest;
    });

    it("is not avoided by resuming without it, and the plan is the same when nothing has changed", async () => {
      const { exitCode, last, stdout } = await pausing("resume");
      assert.deepEqual([exitCode, last.digest], [3, digest], stdout);
    });

    it("is for one plan only: another digest is refused", async () => {
      const { exitCode, stdout } = await approve("0".repeat(64));
      assert.deepEqual([exitCode, JSON.parse(stdout).error.code], [1, "other-plan"]);
    });

    it("is void when the plan has changed since", async () => {
      assert.equal((await approve(digest)).exitCode, 0);
      site.edit((config) => {
        config["handover:generations"].green.inputs.APP_REVISION = "43";
      });
      const { exitCode, last, stdout } = await pausing("resume");
      assert.deepEqual([exitCode, last.outcome], [3, "paused"], stdout);
      assert.notEqual(last.digest, digest);
      digest = last.digest;
    });

    it("lets the run go on, and is on record with who gave it", async () => {
      const { exitCode, stdout } = await approve(digest);
      assert.equal(exitCode, 0, stdout);
      const { by } = JSON.parse(stdout);
      const resumed = await pausing("resume");
      assert.deepEqual([resumed.exitCode, resumed.last.live], [0, "green"], resumed.stdout);
      const approvals = (await newestRun(site)).filter(({ event }) => event.type === "approved");
      assert.deepEqual(
        approvals.map(({ event }) => [event.phase, event.by]),
        [
          ["migrate", by],
          ["launch-first", by],
          ["launch-first", by],
        ],
      );
    });
  });

  describe("a secret", () => {
    it("was printed by the migrations, and is masked in what the driver tells", () => {
      assert.deepEqual(printed, ["printed [secret] [secret]"]);
    });

    it("is in no output, command line or temporary file of the whole run", () => {
      secrets.unwatch();
      assert.deepEqual(secrets.leaks, []);
    });

    it("is not in the ledger", async () => {
      const items = await secrets.ledgerOf(site);
      assert.ok(items.length > 20);
      assert.deepEqual(items.filter(secrets.isLeak), []);
    });

    it("is not shown by any command, as text or as JSON", async () => {
      const [{ run }] = JSON.parse((await handover("history", "--stack", site.name, "--json")).stdout).runs;
      for (const command of [["status"], ["history"], ["history", run], ["rollback"], ["upgrade"]]) {
        for (const json of [[], ["--json"]]) {
          const { stdout, stderr } = await handover(...command, "--stack", site.name, ...json);
          assert.ok(!secrets.isLeak(stdout + stderr), command.join(" "));
        }
      }
    });

    it("is in no file that is left, of the system's temporary ones or of the project's", () => {
      assert.deepEqual(secrets.filesWithLeaks(site), []);
    });
  });
});

/** The newest run's events. */
async function newestRun({ name }: Site): Promise<{ event: { type: string; phase?: string; by?: string } }[]> {
  const { runs } = JSON.parse((await handover("history", "--stack", name, "--json")).stdout);
  return JSON.parse((await handover("history", runs[0].run, "--stack", name, "--json")).stdout).events;
}

function errorCode({ last }: Driven): unknown {
  return (last.error as { readonly code?: unknown } | undefined)?.code;
}
