import assert from "node:assert/strict";
import { ThawError, whileFrozen } from "../../../automation/site-commands/freeze.ts";

/** What happens, in its order; a step named in `failing` throws after it happened. */
function database({ failing = [] as string[], isTaken = async () => false } = {}) {
  const happened: string[] = [];
  const step = (name: string) => async () => {
    happened.push(name);
    if (failing.includes(name)) throw new Error(`${name} failed`);
  };
  return {
    happened,
    freezing: { freeze: step("freeze"), thaw: step("thaw"), isTaken },
    snapshot: step("snapshot"),
  };
}

describe("a snapshot of a frozen database", () => {
  it("is taken after the freeze and before the thaw", async () => {
    const { happened, freezing, snapshot } = database();
    await whileFrozen(freezing, snapshot);
    assert.deepEqual(happened, ["freeze", "snapshot", "thaw"]);
  });

  it("is thawed as soon as it exists, once, while it is still being completed", async () => {
    let exists = false;
    const { happened, freezing } = database({ isTaken: async () => exists });
    const thawed = Promise.withResolvers<void>();
    const thaw = async () => {
      await freezing.thaw();
      thawed.resolve();
    };
    await whileFrozen({ ...freezing, thaw }, async () => {
      exists = true;
      await thawed.promise;
      happened.push("complete");
    });
    assert.deepEqual(happened, ["freeze", "thaw", "complete"]);
  });

  it("is completed though nobody could see that it exists", async () => {
    const { happened, freezing, snapshot } = database({ isTaken: () => Promise.reject(new Error("no permission")) });
    await whileFrozen(freezing, snapshot);
    assert.deepEqual(happened, ["freeze", "snapshot", "thaw"]);
  });

  for (const [failing, expected] of [
    ["freeze", ["freeze", "thaw"]],
    ["snapshot", ["freeze", "snapshot", "thaw"]],
  ] as const) {
    it(`is thawed when the ${failing} fails, and that is what is told`, async () => {
      const { happened, freezing, snapshot } = database({ failing: [failing] });
      await assert.rejects(whileFrozen(freezing, snapshot), { message: `${failing} failed` });
      assert.deepEqual(happened, expected);
    });
  }

  it("needs a person when the thaw fails, who is told what failed before that", async () => {
    const { freezing, snapshot } = database({ failing: ["snapshot", "thaw"] });
    await assert.rejects(whileFrozen(freezing, snapshot), (error) => {
      assert.ok(error instanceof ThawError);
      assert.match(error.message, /may still be frozen.*thaw failed; before that: snapshot failed/);
      return true;
    });
  });

  it("needs a person when the thaw fails while the snapshot is being completed", async () => {
    const { freezing } = database({ failing: ["thaw"], isTaken: async () => true });
    const begun = Promise.withResolvers<void>();
    const thaw = () => {
      begun.resolve();
      return freezing.thaw();
    };
    await assert.rejects(
      whileFrozen({ ...freezing, thaw }, () => begun.promise),
      ThawError,
    );
  });
});
