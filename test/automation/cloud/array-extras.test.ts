import assert from "node:assert/strict";
import { notCarriedOver, ofGroup } from "../../../automation/cloud/array-extras.ts";
import type { ArrayDescription } from "../../../automation/cloud/arrays.ts";
import { compare } from "../../../automation/cloud/described.ts";
import { arraySchema } from "../../../stacks/config/array-schema.ts";
import { sdkFields } from "./sdk-fields.ts";

const sizes = { minSize: 0, maxSize: 2 };
const plain = arraySchema.parse(sizes);
const hook = { lifecycleTransition: "autoscaling:EC2_INSTANCE_LAUNCHING" };
const hooked = arraySchema.parse({ ...sizes, lifecycleHooks: { boot: hook } });

/** As AWS describes a group that the program has made. */
const group = {
  AutoScalingGroupName: "blue-1",
  DefaultCooldown: 300,
  HealthCheckType: "ELB",
  TerminationPolicies: ["Default"],
  NewInstancesProtectedFromScaleIn: false,
  EnabledMetrics: [],
};
const described = (more: object = {}) =>
  ({ group, hooks: [], policies: [], actions: [], notifications: [], ...more }) as unknown as ArrayDescription;

describe("what an array has by hand", () => {
  it("is nothing where all of it is declared", () => {
    const found = described({ hooks: [{ LifecycleHookName: "boot" }] });
    assert.deepEqual(notCarriedOver(described(), [plain, plain], []), []);
    assert.deepEqual(notCarriedOver(found, [plain, hooked], []), []);
    // Left out of the new generation on purpose.
    assert.deepEqual(notCarriedOver(found, [hooked, plain], []), []);
  });

  it("is named: hooks, policies, scheduled actions and settings, and what need not be carried over is not", () => {
    const found = described({
      hooks: [{ LifecycleHookName: "boot" }],
      policies: [{ PolicyName: "cpu" }],
      actions: [{ name: "night" }],
      notifications: ["LAUNCH", "TERMINATE"].map((type) => ({
        TopicARN: "arn:aws:sns:us-east-1:123456789012:ops",
        NotificationType: `autoscaling:EC2_INSTANCE_${type}`,
      })),
      group: {
        ...group,
        DefaultCooldown: 60,
        WarmPoolConfiguration: { MinSize: 2 },
        TerminationPolicies: ["OldestInstance"],
      },
    });
    const names = [
      "lifecycle hook boot",
      "scaling policy cpu",
      "scheduled action night",
      "notifications to arn:aws:sns:us-east-1:123456789012:ops",
      "DefaultCooldown 60",
      "WarmPoolConfiguration.MinSize 2",
      'TerminationPolicies ["OldestInstance"]',
    ];
    assert.deepEqual(notCarriedOver(found, [plain, plain], []).toSorted(), names.toSorted());
    assert.deepEqual(notCarriedOver(found, [plain, plain], names.slice(1)), ["lifecycle hook boot"]);
  });

  it("is named for every field of a group that AWS's SDK knows, and for those of tomorrow", () => {
    const fields = sdkFields("client-auto-scaling", "AutoScalingGroup");
    for (const field of [...fields, "FieldOfTomorrow"]) {
      const told = compare({ [field]: "odd" }, ofGroup).map(({ path }) => path);
      assert.deepEqual(told, typeof ofGroup[field] === "string" ? [] : [field]);
    }
    const ruled = new Set(Object.keys(ofGroup).map((path) => path.split(".")[0]));
    assert.deepEqual(
      fields.filter((field) => !ruled.has(field)),
      [],
    );
    assert.deepEqual(
      [...ruled].filter((field) => !fields.includes(field ?? "")),
      [],
    );
  });
});
