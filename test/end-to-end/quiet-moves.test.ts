import assert from "node:assert/strict";
import { type ClientRequest, request } from "node:http";
import type { RunEvent } from "../../automation/documents/events.ts";
import { engineOf } from "../../sandbox/chaos/driver-process.ts";
import { addFault, clearFaults } from "../../sandbox/faults.ts";
import { get } from "../../sandbox/sandbox.ts";
import { eventually } from "../sandbox/support.ts";
import { type Driver, drive, handover, startDriver } from "./command-line.ts";
import { Site } from "./site.ts";

const name = "sandbox-quiet-moves";

/** How each address moved, as the run told it. */
function movesIn(events: readonly RunEvent[], phase: string): Record<string, unknown>[] {
  return events.flatMap((event) => {
    if (event.type !== "gate" || event.gate !== "moves of addresses" || event.phase !== phase) return [];
    return Object.values(event.evidence as Record<string, Record<string, unknown>>);
  });
}

describe("Elastic IPs that move quietly", () => {
  let site: Site;

  before(async () => {
    site = await Site.up(name, (config) => {
      delete config["handover:site"].database;
      delete config["handover:upgrade"].migrate;
      config["handover:upgrade"].addresses = {};
    });
  });
  after(() => site?.down());

  /** The servers that hold new connections back. */
  async function quiet(): Promise<string[]> {
    const response = await fetch(`${site.env.AWS_ENDPOINT_URL}/sandbox/state`);
    const { instances } = (await response.json()) as { instances: { id: string; quietPorts: number[] }[] };
    return instances.filter(({ quietPorts }) => quietPorts.length > 0).map(({ id }) => id);
  }

  async function isQuiet(instanceId: string): Promise<boolean> {
    return (await quiet()).includes(instanceId);
  }

  /** Begins a run to a generation, and waits until the first address is quiet: a request to it is in flight. */
  async function quietOnTheWayTo(goal: string, addresses: object): Promise<Begun> {
    site.setGoal(goal);
    site.edit((config) => {
      config["handover:upgrade"].addresses = addresses;
    });
    const [{ publicIp, instanceId } = assert.fail()] = (await site.status()).addresses;
    const long = ask(publicIp, "/?sleep=600000");
    const driver = startDriver(["upgrade", "--stack", name, "--lease-seconds", "10"]);
    await driver.seen("phase-started", "move-addresses");
    await eventually(() => isQuiet(instanceId), "new connections are held back", 60);
    return { driver, publicIp, instanceId, end: () => long.request.destroy() };
  }

  interface Begun {
    readonly driver: Driver;
    readonly publicIp: string;
    readonly instanceId: string;
    /** Ends the request that is in flight. */
    readonly end: () => void;
  }

  /** Systems Manager answers nobody any more. */
  async function loseSystemsManager(): Promise<void> {
    for (const operation of ["SendCommand", "ListCommandInvocations", "CancelCommand", "DescribeInstanceInformation"])
      await addFault(get(name), { kind: "error", operation });
  }

  async function endsAt(goal: string, ...args: string[]): Promise<void> {
    const resumed = await drive(["resume", "--stack", name, ...args]);
    assert.equal(resumed.exitCode, 0, resumed.stdout + resumed.stderr);
    assert.equal(resumed.last.live, goal);
    assert.deepEqual(await quiet(), []);
    for (const { heldBy, instanceId, publicIp } of (await site.status()).addresses) {
      assert.equal(heldBy, instanceId);
      assert.equal(await ask(publicIp, "/").status, 200);
    }
  }

  function ask(
    address: string,
    path: string,
  ): { readonly request: ClientRequest; readonly status: Promise<number | undefined> } {
    const asked = request({ host: address, port: 8080, path, agent: false });
    const status = new Promise<number | undefined>((resolve) => {
      asked.once("response", (response) => resolve(response.resume().statusCode));
      asked.once("error", () => resolve(undefined));
    });
    asked.end();
    return { request: asked, status };
  }

  it("are told in the plan", async () => {
    site.setGoal("green");
    const { stdout, exitCode } = await handover("plan", "--stack", name, "--json");
    assert.equal(exitCode, 0, stdout);
    const { phases } = JSON.parse(stdout) as { phases: { name: string; effects: string[] }[] };
    const told = phases.filter(({ effects }) => effects.some((each) => each.startsWith("addresses move quietly")));
    assert.deepEqual(
      told.map((phase) => phase.name),
      ["move-addresses"],
    );
  });

  it("are refused before the first phase where they must be quiet and Systems Manager does not say that they can", async () => {
    site.edit((config) => {
      config["handover:upgrade"].addresses.move = "quiet";
    });
    const sandbox = get(name);
    await addFault(sandbox, { kind: "denied", operation: "DescribeInstanceInformation" });
    try {
      for (const command of ["upgrade", "plan"]) {
        const { exitCode, stdout, stderr } = await handover(command, "--stack", name);
        assert.equal(exitCode, 1, stdout + stderr);
        assert.match(stderr, /handover:upgrade\.addresses\.move: quiet cannot be/);
      }
    } finally {
      await clearFaults(sandbox);
      site.edit((config) => {
        delete config["handover:upgrade"].addresses.move;
      });
    }
    assert.equal((await site.status()).run, null);
  });

  it("cut no request there and back, however long it takes", async () => {
    const there = await site.traffic(40, "/?sleep=1200");
    const paused = await drive(["upgrade", "--stack", name, "--pause-before", "observe"]);
    const forth = await there.stop();
    assert.equal(paused.exitCode, 3, paused.stdout + paused.stderr);
    assert.deepEqual([forth.failed, forth.cutByMove], [0, 0], JSON.stringify(forth.failures));
    const moves = movesIn(paused.events, "move-addresses");
    assert.deepEqual(
      moves.map(({ move }) => move),
      ["quiet", "quiet"],
    );
    const back = await site.traffic(40, "/?sleep=1200");
    const rolledBack = await drive(["rollback", "--stack", name]);
    const forthAndBack = await back.stop();
    assert.equal(rolledBack.exitCode, 0, rolledBack.stdout + rolledBack.stderr);
    assert.deepEqual([forthAndBack.failed, forthAndBack.cutByMove], [0, 0], JSON.stringify(forthAndBack.failures));
    assert.deepEqual(
      movesIn(rolledBack.events, "withdraw").map(({ move }) => move),
      ["quiet", "quiet"],
    );
  });

  it("answer again by themselves when the driver is killed, and the run can go on", async () => {
    const { driver, publicIp, instanceId, end } = await quietOnTheWayTo("green", { quietSeconds: 3 });
    process.kill(driver.pid, "SIGKILL");
    await driver.ended;
    assert.equal(await isQuiet(instanceId), true);
    const waiting = ask(publicIp, "/");
    await eventually(async () => !(await isQuiet(instanceId)), "the timer has let new connections in", 60);
    assert.equal(await waiting.status, 200);
    end();
    const resumed = await drive(["resume", "--stack", name, "--wait", "10m"]);
    assert.equal(resumed.exitCode, 0, resumed.stdout + resumed.stderr);
    assert.equal(resumed.last.live, "green");
    assert.deepEqual(
      movesIn(resumed.events, "move-addresses").map(({ move }) => move),
      ["quiet", "quiet"],
    );
  });

  it("are where their plan has them when the engine is killed that takes them over, and none is quiet any more", async () => {
    const { driver, publicIp, end } = await quietOnTheWayTo("blue", { quietSeconds: 3 });
    await eventually(async () => engineOf(driver.pid) !== undefined, "the engine has begun", 60);
    process.kill(engineOf(driver.pid) ?? assert.fail(), "SIGKILL");
    const { exitCode, stdout, stderr } = await driver.ended;
    end();
    assert.equal(exitCode, 3, stdout + stderr);
    assert.deepEqual(await quiet(), []);
    assert.equal(await ask(publicIp, "/").status, 200);
    await endsAt("blue");
  });

  it("answer again by themselves where Systems Manager is lost on the way, and the run pauses", async () => {
    const { driver, publicIp, instanceId, end } = await quietOnTheWayTo("green", { move: "quiet", quietSeconds: 10 });
    await loseSystemsManager();
    const waiting = ask(publicIp, "/");
    try {
      const { exitCode, stdout, stderr, events } = await driver.ended;
      assert.equal(exitCode, 3, stdout + stderr);
      const [move] = movesIn(events, "move-addresses");
      assert.match(String(move?.why), /An error on purpose|Systems Manager did not answer/);
      assert.equal((await site.status()).addresses[0]?.heldBy, instanceId);
      await eventually(async () => (await quiet()).length === 0, "the timer has let new connections in", 60);
      assert.equal(await waiting.status, 200);
    } finally {
      end();
      await clearFaults(get(name));
    }
    await endsAt("green");
  });

  it("answer again by themselves where the driver is killed without Systems Manager", async () => {
    const { driver, publicIp, end } = await quietOnTheWayTo("blue", { move: "quiet", quietSeconds: 10 });
    await loseSystemsManager();
    process.kill(driver.pid, "SIGKILL");
    await driver.ended;
    const waiting = ask(publicIp, "/");
    await eventually(async () => (await quiet()).length === 0, "the timer has let new connections in", 60);
    assert.equal(await waiting.status, 200);
    end();
    await clearFaults(get(name));
    await endsAt("blue", "--wait", "10m");
  });
});
