import assert from "node:assert/strict";
import { LateView } from "../../../sandbox/network/late-view.ts";
import { until } from "./world.ts";

/** A view whose changes are learned after the given delays, in milliseconds, one for each. */
function late(...delays: number[]) {
  const learned: string[] = [];
  const view: LateView<string> = new LateView(
    () => delays.shift() ?? 0,
    () => learned.push([...view.known].join(" ")),
  );
  return { view, learned };
}

describe("a node's late view", () => {
  it("knows at once what has no delay", () => {
    const { view } = late();
    view.update(new Map([["rule", "90/10"]]));
    assert.deepEqual([...view.known], [["rule", "90/10"]]);
    view.update(new Map());
    assert.deepEqual([...view.known], []);
  });

  it("never learns a change before an earlier one of the same object", async () => {
    const { view, learned } = late(60, 0, 0);
    view.update(new Map([["rule", "old"]]));
    view.update(new Map([["rule", "new"]]));
    assert.deepEqual([...view.known], []);
    view.update(new Map());
    await until(() => learned.length === 3, "all changes are learned");
    assert.deepEqual(learned, ["rule,old", "rule,new", ""]);
  });

  it("learns of different objects in any order", async () => {
    const { view, learned } = late(60, 0);
    view.update(
      new Map([
        ["rule", "0/100"],
        ["targets", "i-1"],
      ]),
    );
    assert.deepEqual([...view.known.keys()], ["targets"]);
    await until(() => learned.length === 1, "the rule is learned");
    assert.deepEqual([...view.known.keys()].sort(), ["rule", "targets"]);
  });

  it("is told the same again without learning anything anew", () => {
    const { view, learned } = late(0, 1000);
    view.update(new Map([["rule", "90/10"]]));
    view.update(new Map([["rule", "90/10"]]));
    assert.deepEqual([...view.known], [["rule", "90/10"]]);
    assert.deepEqual(learned, []);
    view.close();
  });
});
