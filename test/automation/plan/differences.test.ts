import assert from "node:assert/strict";
import { generationDifferences, inputDifferences } from "../../../automation/plan/differences.ts";
import type { Input } from "../../../stacks/config.ts";

type Inputs = Record<string, Input>;

describe("the difference of inputs", () => {
  const secrets = new Set(["hunter2", "42"]);
  const lines = (before: Inputs, after: Inputs) =>
    inputDifferences(before, after, secrets).map((each) => `${each.name}: ${each.before} -> ${each.after}`);

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
      const diff = inputDifferences(
        { URL: "postgres://db" },
        { URL: `postgres://u:${encoded}@db` },
        new Set(["p@ss/w"]),
      );
      assert.deepEqual(diff, [{ name: "URL", before: "[secret]", after: "[secret]", secret: true }]);
    }
  });

  it("finds a very short secret as a whole value only", () => {
    assert.deepEqual(lines({}, { PIN: "42", TEXT: "421" }), ["PIN: null -> [secret]", "TEXT: null -> 421"]);
  });
});

describe("the difference of generations", () => {
  const lines = (blue: object, green: object, secrets: ReadonlySet<string> = new Set()) =>
    generationDifferences(generation(blue), generation(green), secrets).map(
      (each) => `${each.name}: ${each.before} -> ${each.after}`,
    );
  const generation = (more: object) => {
    const plain = { name: "green", imageId: "ami-1", instanceType: "t3.small", frontends: 2, inputs: {}, tags: {} };
    return { ...plain, ...more };
  };

  it("shows old and new values of what is nested, by their paths", () => {
    assert.deepEqual(
      lines(
        { rootBlockDevice: { volumeSize: 8, volumeType: "gp3" } },
        { rootBlockDevice: { volumeSize: 20, volumeType: "gp3" } },
      ),
      ["rootBlockDevice.volumeSize: 8 -> 20"],
    );
    assert.deepEqual(lines({}, { rootBlockDevice: { volumeSize: 20 } }), ["rootBlockDevice.volumeSize: null -> 20"]);
  });

  it("shows what an array's policies and schedules change", () => {
    const steps = (...adjustments: number[]) => ({
      stepScaling: { stepAdjustments: adjustments.map((scalingAdjustment) => ({ scalingAdjustment })) },
    });
    const tracking = (targetValue: number) => ({ targetTracking: { targetValue, disableScaleIn: false } });
    const array = (policies: object, schedules = {}) => ({ array: { minSize: 1, maxSize: 4, policies, schedules } });
    assert.deepEqual(
      lines(
        array({ cpu: tracking(60), steps: steps(1) }),
        array({ cpu: tracking(50), steps: steps(1, 2) }, { night: { recurrence: "0 22 * * *" } }),
      ),
      [
        "array.policies.cpu.targetTracking.targetValue: 60 -> 50",
        "array.policies.steps.stepScaling.stepAdjustments[1].scalingAdjustment: null -> 2",
        "array.schedules.night.recurrence: null -> 0 22 * * *",
      ],
    );
  });

  it("masks what was not decrypted, and secrets", () => {
    const secrets = new Set(["hunter2"]);
    assert.deepEqual(
      lines(
        { inputs: { KEY: { secure: "v1:abc" }, URL: "http://db" } },
        { inputs: { KEY: { secure: "v1:def" }, URL: "http://u:hunter2@db" } },
        secrets,
      ),
      ["inputs.KEY: [secret] -> [secret]", "inputs.URL: http://db -> http://u:[secret]@db"],
    );
  });

  it("does not depend on the order in which keys are written, and has nothing for the same twice", () => {
    assert.deepEqual(lines({ inputs: { A: "1", B: "2" } }, { inputs: { B: "2", A: "1" } }), []);
  });
});
