import assert from "node:assert/strict";
import { EngineBusyError } from "../../../automation/engine/end-engine.ts";
import { EngineDiedError } from "../../../automation/engine/engine-errors.ts";
import { resume, upgrade } from "../../../automation/run/verbs.ts";
import { FakeSite } from "./fake-site.ts";

describe("the first deployment, before there is a ledger", () => {
  let site: FakeSite;
  beforeEach(async () => {
    site = await FakeSite.open();
  });
  afterEach(() => site.close());

  const deploy = (command = upgrade, interrupted = false) => {
    const { opened, options } = site.drive();
    Object.assign(opened.engine.state, { interrupted });
    return command({ ...opened, last: undefined }, options);
  };
  const killTimes = (times: number) => {
    let left = times;
    site.beforeUp = () => {
      if (left-- > 0) throw new EngineDiedError("signal: killed", undefined);
    };
  };

  it("is one update to the goal", async () => {
    const { exitCode, live } = await deploy();
    assert.deepEqual([exitCode, live, site.applied, site.mended], [0, "green", ["settle"], 0]);
  });

  it("goes on when the engine dies: what it left is mended first", async () => {
    killTimes(1);
    const { exitCode, live } = await deploy();
    assert.deepEqual([exitCode, live, site.applied, site.mended], [0, "green", ["settle"], 1]);
  });

  it("pauses when it dies again, and says what to type", async () => {
    killTimes(2);
    const { exitCode, outcome, message } = await deploy();
    assert.deepEqual([exitCode, outcome], [3, "paused"]);
    assert.match(message ?? "", /Next: `handover upgrade --stack fake`/);
  });

  for (const [name, command] of Object.entries({ upgrade, resume })) {
    it(`is gone on with by ${name} after a kill: what that left is mended before anything is planned`, async () => {
      const { exitCode, live } = await deploy(command, true);
      assert.deepEqual([exitCode, live, site.applied, site.mended], [0, "green", ["settle"], 1]);
    });
  }

  it("is left to the one who is at it: exit code 5", async () => {
    site.beforeUp = () => {
      throw new EngineBusyError("fake", "The engine of process 42 on this machine");
    };
    await assert.rejects(deploy(), { exitCode: 5, code: "engine-busy" });
  });
});
