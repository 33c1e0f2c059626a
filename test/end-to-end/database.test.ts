import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DescribeInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import pg from "pg";
import { stopProcess } from "../../sandbox/processes.ts";
import { eventually } from "../eventually.ts";
import { drive, handover, startDriver } from "./command-line.ts";
import { Site } from "./site.ts";

describe("the site's database in an upgrade", () => {
  let site: Site;
  let ec2: EC2Client;
  let directory: string;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "handover-database-"));
    site = await Site.up("sandbox-database", (config) => {
      config["handover:site"].database.retainDays = 0;
      config["handover:upgrade"].backup = { freeze: does("freeze"), thaw: does("thaw") };
    });
    site.setGoal("green");
    ec2 = new EC2Client(site.settings);
  });
  beforeEach(() => writeFileSync(file(), ""));
  after(async () => {
    ec2?.destroy();
    await site?.down();
    rmSync(directory, { recursive: true });
  });

  const file = (name = "happened") => join(directory, name);
  const does = (word: string, then = "true") => ({ command: ["bash", "-c", `echo ${word} >> ${file()}; ${then}`] });
  const happened = () => readFileSync(file(), "utf8").split("\n").slice(0, -1);
  const migrateWith = (migrate: object) =>
    site.edit((config) => {
      config["handover:upgrade"].migrate = migrate;
    });
  const fault = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await handover("sandbox", "fault", ...args, "--name", site.name);
    assert.equal(exitCode, 0, stdout + stderr);
  };

  async function servers(): Promise<number> {
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}));
    const instances = Reservations.flatMap(({ Instances = [] }) => Instances);
    return instances.filter(({ State }) => State?.Name === "running").length;
  }

  async function snapshots(...args: string[]) {
    const command = ["snapshots", ...args, "--stack", site.name, "--json"];
    const { exitCode, stdout, stderr } = await handover(...command);
    assert.equal(exitCode, 0, stdout + stderr);
    return JSON.parse(stdout);
  }

  it("is thawed when AWS does not work for the snapshot: the run pauses, and nothing is launched", async () => {
    await fault("error", "--operation", "CreateSnapshot");
    const { exitCode, last } = await drive(["upgrade", "--stack", site.name]);
    await fault("clear");
    assert.deepEqual([exitCode, last.outcome], [3, "paused"], String(last.message));
    assert.deepEqual(happened(), ["freeze", "thaw"]);
    assert.equal(await servers(), 2);
  });

  it("is frozen before the snapshot and thawed before the migration, which stops the run when it fails", async () => {
    migrateWith(does("migrate", "echo no such table; exit 1"));
    const { exitCode, last } = await drive(["upgrade", "--stack", site.name]);
    assert.equal(exitCode, 2, String(last.message));
    assert.match(String(last.message), /^migrate: .*no such table/);
    assert.deepEqual(happened(), ["freeze", "thaw", "migrate"]);
    assert.equal(await servers(), 2);
  });

  it("is thawed, and migrated once, though the driver is killed in the freeze and in the migration, and a person says how to go on", async () => {
    const hangs = (word: string) => does(word, `echo $$ > ${file("pid")}; exec sleep 600`);
    const freezeWith = (freeze: object) =>
      site.edit((config) => {
        config["handover:upgrade"].backup.freeze = freeze;
      });
    /** Kills a driver once its command hangs, and then the command. */
    const killIn = async (phase: string, ...args: string[]) => {
      const driver = startDriver([...args, "--stack", site.name]);
      await driver.seen("phase-started", phase);
      while (!existsSync(file("pid"))) await sleep(20);
      process.kill(driver.pid, "SIGKILL");
      await driver.ended;
      await stopProcess(Number(readFileSync(file("pid"), "utf8")));
      rmSync(file("pid"));
    };
    freezeWith(hangs("freeze"));
    migrateWith(hangs("migrate"));
    await killIn("backup", "upgrade");
    assert.deepEqual(happened(), ["freeze"]);
    freezeWith(does("freeze"));
    await killIn("migrate", "resume", "--take-over");
    assert.deepEqual(happened(), ["freeze", "thaw", "freeze", "thaw", "migrate"]);

    const resume = (...args: string[]) => drive(["resume", "--stack", site.name, "--take-over", ...args]);
    const paused = await resume();
    assert.equal(paused.exitCode, 3, paused.stdout + paused.stderr);
    assert.match(String(paused.last.message), /handover resume --stack sandbox-database --migration done/);
    assert.deepEqual(happened().slice(5), []);
    assert.equal(await servers(), 2);

    migrateWith({ command: ["./frontends/migrate", "up"] });
    const resumed = await resume("--migration", "again", "--pause-before", "launch-first");
    assert.match(String(resumed.last.message), /^launch-first waits for approval/);
    const client = new pg.Client(site.env.DATABASE_URL);
    await client.connect();
    const { rows } = await client.query("SELECT name FROM pgmigrations");
    await client.end();
    assert.deepEqual(rows, [{ name: "1_revisions" }]);
  });

  it("has a snapshot of each run that got one, and prune keeps the newest", async () => {
    const { snapshots: before } = await snapshots();
    assert.deepEqual(
      before.map(({ state, sizeGigabytes }: Record<string, unknown>) => [state, sizeGigabytes]),
      [
        ["completed", 8],
        ["completed", 8],
      ],
    );
    const [newest, oldest] = before;
    const dry = await snapshots("prune", "--dry-run");
    assert.deepEqual([dry.deleted, dry.kept], [[oldest], 1]);
    assert.deepEqual((await snapshots()).snapshots, before);
    const pruned = await snapshots("prune");
    assert.deepEqual([pruned.deleted, pruned.failures, pruned.kept], [[oldest], [], 1]);
    // AWS may show for a moment what was just deleted.
    const left = await eventually(async () => {
      const { snapshots: shown } = await snapshots();
      return shown.length === 1 && shown;
    });
    assert.deepEqual(left, [newest]);
  });
});
