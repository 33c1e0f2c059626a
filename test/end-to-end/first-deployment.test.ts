import assert from "node:assert/strict";
import { cloudProblems } from "../../sandbox/chaos/cloud-check.ts";
import { childOf, DriverProcess } from "../../sandbox/chaos/driver-process.ts";
import { addFault, clearFaults } from "../../sandbox/faults.ts";
import { down, type Sandbox, up } from "../../sandbox/sandbox.ts";
import { slot } from "../../sandbox/slot.ts";
import { eventually } from "../sandbox/support.ts";

const name = "sandbox-first";

describe("a first deployment", () => {
  const environment = { ...process.env };
  let sandbox: Sandbox;

  before(async () => {
    sandbox = await up({ name });
  });
  after(async () => {
    await down(name);
    process.env = environment;
  });

  let plans = 0;
  const start = (command: string) =>
    new DriverProcess([command, "--stack", name], ({ type }) => {
      if (type === "plan") plans++;
    });

  async function asked(): Promise<number> {
    const calls = await (await fetch(`${slot(sandbox.slot).cloud.url}/sandbox/calls`)).json();
    return (calls as Record<string, number>)["ec2.AssociateAddress"] ?? 0;
  }

  /** The update of the plan with this number has all but what puts the addresses on the servers, which it asked for. */
  async function addressesAreMissing(plan: number): Promise<void> {
    await eventually(async () => plans === plan, `plan ${plan}`, 60);
    const before = await asked();
    await eventually(async () => (await asked()) > before, "an address to be asked for", 60);
  }

  function kill(pid: number | undefined): void {
    assert.ok(pid !== undefined);
    process.kill(pid, "SIGKILL");
  }

  it("is gone on with by resume, whoever was killed when all but its addresses was there", async () => {
    await addFault(sandbox, { kind: "latency", operation: "AssociateAddress", milliseconds: 4000 });
    const first = start("upgrade");
    await addressesAreMissing(1);
    kill(first.pid);
    await first.ended();
    const second = start("resume");
    await addressesAreMissing(2);
    kill(second.enginePid);
    await addressesAreMissing(3);
    kill(childOf(sandbox.processes.provider ?? 0));
    const { exitCode, last } = await second.ended();
    assert.equal(exitCode, 3, last);
    await clearFaults(sandbox);
    const third = await start("resume").ended();
    assert.equal(third.exitCode, 0, third.last);
    const check = { live: "blue", frontends: 2, site: `handover-${name}`, runs: 0 };
    assert.deepEqual(await cloudProblems(check, { region: sandbox.region }), []);
  });
});
