import assert from "node:assert/strict";
import { inputsDiff } from "../../../automation/plan/inputs-diff.ts";
import type { Input } from "../../../stacks/config.ts";

type Inputs = Record<string, Input>;

describe("the difference of inputs", () => {
  const secrets = new Set(["hunter2", "42"]);
  const lines = (before: Inputs, after: Inputs) =>
    inputsDiff(before, after, secrets).map((each) => `${each.name}: ${each.before} -> ${each.after}`);

  it("is what was added, removed and changed, by name", () => {
    assert.deepEqual(lines({ SAME: "1", OLD: "a", BOTH: "x" }, { SAME: "1", NEW: "b", BOTH: "y" }), [
      "BOTH: x -> y",
      "NEW: null -> b",
      "OLD: a -> null",
    ]);
  });

  it("shows neither side of a secret, also inside of a longer text", () => {
    assert.deepEqual(lines({ KEY: "hunter2" }, { KEY: "other" }), ["KEY: [secret] -> [secret]"]);
    assert.deepEqual(lines({}, { URL: "postgres://www:hunter2@db" }), ["URL: null -> [secret]"]);
    assert.deepEqual(lines({}, { KEY: { secure: "v1:abc" } }), ["KEY: null -> [secret]"]);
  });

  it("shows neither side of a secret that is encoded in a longer text", () => {
    for (const encoded of ["p%40ss%2Fw", "p%40ss%2fw", "cEBzcy93"]) {
      const diff = inputsDiff({ URL: "postgres://db" }, { URL: `postgres://u:${encoded}@db` }, new Set(["p@ss/w"]));
      assert.deepEqual(diff, [{ name: "URL", before: "[secret]", after: "[secret]", secret: true }]);
    }
  });

  it("finds a very short secret as a whole value only", () => {
    assert.deepEqual(lines({}, { PIN: "42", TEXT: "421" }), ["PIN: null -> [secret]", "TEXT: null -> 421"]);
  });
});
