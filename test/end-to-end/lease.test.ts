import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isRunning } from "../../sandbox/processes.ts";
import { type Driven, type Driver, drive, handover, startDriver } from "./command-line.ts";
import { Site } from "./site.ts";

describe("one run per stack", () => {
  let site: Site;
  const upgrade = (...args: string[]) => ["upgrade", "--stack", site.name, ...args];

  before(async () => {
    site = await Site.up("sandbox-lease");
  });
  after(() => site.down());

  describe("while a driver works", () => {
    const directory = mkdtempSync(join(tmpdir(), "handover-test-"));
    const mayGoOn = join(directory, "may-go-on");
    let first: Driver;
    before(async () => {
      site.setGoal("green");
      site.edit((config) => {
        const wait = 'until [ -e "$0" ]; do sleep 0.1; done';
        config["handover:upgrade"].migrate = { command: ["sh", "-c", wait, mayGoOn] };
      });
      first = startDriver(upgrade());
      await first.seen("phase-started", "migrate");
    });
    after(async () => {
      writeFileSync(mayGoOn, "");
      await first.ended;
      rmSync(directory, { recursive: true });
      site.edit((config) => {
        delete config["handover:upgrade"].migrate;
      });
    });

    it("refuses a second one at once, with exit code 5, and says who works since when", async () => {
      const second = await drive(upgrade());
      const { code, message } = errorOf(second);
      assert.deepEqual([second.exitCode, code], [5, "lease-held"]);
      const { lease } = await site.status();
      assert.equal(lease.state, "held");
      const { who = "", host = "", since = "" } = lease.holder ?? {};
      assert.ok(message.includes(`by ${who} on ${host} (process ${first.pid}) since ${since}`));
      const asText = await handover(...upgrade());
      assert.deepEqual([asText.exitCode, asText.stdout], [5, ""]);
      assert.ok(asText.stderr.includes(`by ${who} on ${host}`), asText.stderr);
    });

    it("lets others read: status and history take no lease", async () => {
      assert.equal((await handover("history", "--stack", site.name)).exitCode, 0);
      assert.equal((await handover("history", "--stack", site.name, "--verify")).exitCode, 0);
      assert.equal((await site.status()).lease.state, "held");
    });

    it("lets a second one wait with --wait, which goes on when the first has ended", async () => {
      const waiting = drive(upgrade("--wait", "10m"));
      writeFileSync(mayGoOn, "");
      const second = await waiting;
      assert.deepEqual([second.exitCode, second.last.live], [0, "green"], second.stdout + second.stderr);
      assert.equal((await first.ended).exitCode, 0);
      assert.deepEqual((await site.status()).lease.state, "free");
    });
  });

  describe("whose driver was stopped for longer than its lease", () => {
    // Long enough for a busy machine to extend it in time.
    const shortLease = ["--lease-seconds", "12"];

    /** Lets another driver finish the run of a stopped one, which then goes on. @returns how that one ended */
    async function overtake(sleeper: Driver, goal: string) {
      process.kill(sleeper.pid, "SIGSTOP");
      const other = await drive(["resume", "--stack", site.name, "--wait", "10m"]);
      assert.deepEqual([other.exitCode, other.last.live], [0, goal], other.stdout + other.stderr);
      const events = await history(site);
      process.kill(sleeper.pid, "SIGCONT");
      const slept = await sleeper.ended;
      assert.deepEqual([slept.exitCode, errorOf(slept).code], [5, "lease-lost"], slept.stdout);
      assert.deepEqual(await history(site), events);
      assert.deepEqual(Object.keys((await site.status()).generations), [goal]);
      return slept.events;
    }

    it("does nothing more when it wakes up", async () => {
      site.setGoal("blue");
      const sleeper = startDriver(upgrade(...shortLease));
      await sleeper.seen("plan", "launch-first");
      const told = await overtake(sleeper, "blue");
      assert.ok(!told.some((event) => event.type === "applied" && event.phase === "launch-first"));
    });

    it("does not keep the next one waiting with an engine that it left in the middle of an update", async () => {
      site.setGoal("green");
      const sleeper = startDriver(upgrade(...shortLease));
      await sleeper.seen("plan", "connect");
      const engine = await lockHolder(site);
      const told = await overtake(sleeper, "green");
      assert.ok(!told.some((event) => event.type === "applied" && event.phase === "connect"));
      assert.ok(!isRunning(engine));
    });
  });
});

function errorOf({ last }: Driven): { readonly code?: string; readonly message: string } {
  return (last.error ?? { message: JSON.stringify(last) }) as ReturnType<typeof errorOf>;
}

/** The engine that holds the backend's lock, now or as soon as one does. */
async function lockHolder({ env }: Site): Promise<number> {
  const directory = fileURLToPath(`${env.PULUMI_BACKEND_URL}/.pulumi/locks`);
  for (;;) {
    const files = existsSync(directory) ? readdirSync(directory, { recursive: true, encoding: "utf8" }) : [];
    const lock = files.find((file) => file.endsWith(".json"));
    const content = lock === undefined ? "" : await readFile(join(directory, lock), "utf8").catch(() => "");
    if (content !== "") return JSON.parse(content).pid;
    await sleep(5);
  }
}

/** The newest run's events. */
async function history({ name }: Site): Promise<{ event: { type: string; phase?: string; by?: string } }[]> {
  const { runs } = JSON.parse((await handover("history", "--stack", name, "--json")).stdout);
  return JSON.parse((await handover("history", runs[0].run, "--stack", name, "--json")).stdout).events;
}
