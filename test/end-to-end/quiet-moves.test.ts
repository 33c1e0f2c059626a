import assert from "node:assert/strict";
import { type ClientRequest, request } from "node:http";
import type { RunEvent } from "../../automation/documents/events.ts";
import { addFault, clearFaults } from "../../sandbox/faults.ts";
import { get } from "../../sandbox/sandbox.ts";
import { eventually } from "../sandbox/support.ts";
import { drive, handover, startDriver } from "./command-line.ts";
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

  /** Whether a server holds new connections back. */
  async function isQuiet(instanceId: string): Promise<boolean> {
    const response = await fetch(`${site.env.AWS_ENDPOINT_URL}/sandbox/state`);
    const { instances } = (await response.json()) as { instances: { id: string; quietPorts: number[] }[] };
    return instances.some(({ id, quietPorts }) => id === instanceId && quietPorts.length > 0);
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
    site.edit((config) => {
      config["handover:upgrade"].addresses = { quietSeconds: 3 };
    });
    const { addresses } = await site.status();
    const [{ publicIp, instanceId } = assert.fail()] = addresses;
    const long = ask(publicIp, "/?sleep=600000");
    const driver = startDriver(["upgrade", "--stack", name, "--lease-seconds", "10"]);
    await driver.seen("phase-started", "move-addresses");
    await eventually(() => isQuiet(instanceId), "new connections are held back", 60);
    process.kill(driver.pid, "SIGKILL");
    await driver.ended;
    assert.equal(await isQuiet(instanceId), true);
    const waiting = ask(publicIp, "/");
    await eventually(async () => !(await isQuiet(instanceId)), "the timer has let new connections in", 60);
    assert.equal(await waiting.status, 200);
    long.request.destroy();
    const resumed = await drive(["resume", "--stack", name, "--wait", "10m"]);
    assert.equal(resumed.exitCode, 0, resumed.stdout + resumed.stderr);
    assert.equal(resumed.last.live, "green");
    assert.deepEqual(
      movesIn(resumed.events, "move-addresses").map(({ move }) => move),
      ["quiet", "quiet"],
    );
  });
});
