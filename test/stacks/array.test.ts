import assert from "node:assert/strict";
import { type ArrayFacts, arrayFacts } from "../../stacks/array-facts.ts";
import { intent, settled, shapeOf } from "../../stacks/intent.ts";
import { type IntentRow, withdraw } from "../../stacks/runbook.ts";
import { allThatScales } from "../../stacks/scaling-processes.ts";
import { namesOf, only, resourcesOf } from "./resources.ts";
import { exampleConfig } from "./shape.ts";

const array = {
  minSize: 1,
  maxSize: 6,
  policies: {
    requests: { targetTracking: { predefinedMetricType: "ALBRequestCountPerTarget", targetValue: 1000 } },
    burst: { stepScaling: { stepAdjustments: [{ metricIntervalLowerBound: 0, scalingAdjustment: 2 }] } },
  },
};
const config = exampleConfig((values) => {
  values.generations.blue.array = array;
});
const shape = shapeOf(config);
const nothingKnown: ArrayFacts = { stated: false };
const group = async (name: string, row: IntentRow, facts: ArrayFacts, step?: number, of = config) =>
  only(await resourcesOf(intent(shapeOf(of), "blue", "green", row, step), of, facts), "Group", name);

describe("array", () => {
  it("is an Auto Scaling group of the generation's template, in its target group, and is not waited for", async () => {
    const { tags, ...inputs } = only(await resourcesOf(settled(shape, "blue"), config), "Group", "blue");
    assert.deepEqual(inputs, {
      minSize: 1,
      maxSize: 6,
      launchTemplate: { id: "blue-id", version: "3" },
      vpcZoneIdentifiers: ["site-1-id", "site-2-id"],
      targetGroupArns: ["arn:blue"],
      healthCheckType: "ELB",
      healthCheckGracePeriod: 300,
      protectFromScaleIn: false,
      waitForCapacityTimeout: "0",
      forceDelete: true,
    });
    assert.deepEqual(
      tags.map(({ key, value, propagateAtLaunch }: Record<string, string>) => [key, value, propagateAtLaunch]),
      [
        ["Name", "handover-test-blue-array", true],
        ["handover:site", "handover-test", true],
        ["handover:site-id", "0123456789abcdef", true],
        ["handover:generation", "blue", true],
        ["handover:run", "by-hand", true],
      ],
    );
  });

  it("leaves the file's tags to its template: those of a group win, and are taken over with what somebody gave the old one", async () => {
    const tagged = exampleConfig(({ site, generations: { blue } }) => {
      Object.assign(blue, { array, tags: { cost: "2" } });
      site.tags = { team: "web", cost: "1" };
    });
    const resources = await resourcesOf(settled(shapeOf(tagged), "blue"), tagged);
    const keys = only(resources, "Group", "blue").tags.map(({ key }: { key: string }) => key);
    assert.deepEqual(keys, ["Name", "handover:site", "handover:site-id", "handover:generation", "handover:run"]);
    const [ofServers] = only(resources, "LaunchTemplate", "blue").tagSpecifications;
    assert.deepEqual(ofServers, { resourceType: "instance", tags: { team: "web", cost: "2" } });
  });

  it("brings along the tags that somebody gave the old array, to its servers where they are so", async () => {
    const tags = [
      { key: "team", value: "web", propagateAtLaunch: true },
      { key: "cost", value: "7", propagateAtLaunch: false },
    ];
    const capacity = { minSize: 1, maxSize: 6, desiredCapacity: 2 };
    const desired = intent(shape, "blue", "green", "suspend-array");
    const group = only(await resourcesOf(desired, config, { stated: false, capacity, tags }), "Group", "green");
    assert.deepEqual(group.tags.slice(-2), tags);
  });

  it("brings its policies and scheduled actions along to the generation that extends it", async () => {
    const scheduled = exampleConfig((values) => {
      values.generations.blue.array = { ...array, schedules: { night: { recurrence: "0 22 * * *", maxSize: 2 } } };
    });
    const resources = await resourcesOf(intent(shapeOf(scheduled), "blue", "green", "resume-array"), scheduled);
    assert.deepEqual(
      namesOf(resources).filter((name) => /^(Group|Policy|Schedule) /.test(name)),
      ["blue", "green"]
        .flatMap((name) => [
          `Group ${name}`,
          `Policy ${name}.burst`,
          `Policy ${name}.requests`,
          `Schedule ${name}.night`,
        ])
        .sort(),
    );
    const { targetTrackingConfiguration, name } = only(resources, "Policy", "green.requests");
    assert.deepEqual(
      [name, targetTrackingConfiguration],
      [
        "requests",
        {
          predefinedMetricSpecification: {
            predefinedMetricType: "ALBRequestCountPerTarget",
            resourceLabel: "suffix/site/suffix/green",
          },
          targetValue: 1000,
          disableScaleIn: false,
        },
      ],
    );
    assert.deepEqual(only(resources, "Policy", "green.burst").stepAdjustments, [
      { metricIntervalLowerBound: "0", scalingAdjustment: 2 },
    ]);
    const { scheduledActionName, minSize, maxSize, desiredCapacity } = only(resources, "Schedule", "green.night");
    assert.deepEqual([scheduledActionName, minSize, maxSize, desiredCapacity], ["night", -1, 2, -1]);
  });

  it("is suspended beside what an operator had suspended, and gets exactly that back", async () => {
    const facts = { stated: true, suspendedByOperator: ["AZRebalance", "AddToLoadBalancer"] };
    const processes = async (name: string, row: IntentRow, step?: number) => {
      return (await group(name, row, facts, step)).suspendedProcesses;
    };
    const all = [...allThatScales, "AddToLoadBalancer"].sort();
    assert.deepEqual(await processes("blue", "suspend-array", 2), all);
    assert.deepEqual(await processes("blue", "drain"), all);
    assert.deepEqual(await processes("blue", "connect"), ["AZRebalance", "AddToLoadBalancer"]);
    assert.deepEqual(await processes("blue", "withdraw"), ["AZRebalance", "AddToLoadBalancer"]);
    assert.deepEqual(await processes("green", "resume-array"), ["AZRebalance", "AddToLoadBalancer"]);
  });

  it("launches and registers the servers that it is created for before it is enabled, and nothing else", async () => {
    const facts = { stated: true, suspendedByOperator: ["AddToLoadBalancer"] };
    const { suspendedProcesses } = await group("green", "suspend-array", facts);
    assert.deepEqual(
      suspendedProcesses,
      allThatScales.filter((process) => process !== "Launch"),
    );
  });

  it("leaves what is suspended to operators while no run has suspended anything", async () => {
    for (const row of ["backup", "connect"] as const) {
      assert.equal((await group("blue", row, nothingKnown)).suspendedProcesses, undefined, row);
    }
    assert.equal((await group("blue", "suspend-array", nothingKnown, 1)).suspendedProcesses, undefined);
  });

  it("is created with the old one's capacity, within its own sizes", async () => {
    const created = async (desiredCapacity: number) => {
      const facts = { stated: true, capacity: { minSize: 0, maxSize: 99, desiredCapacity } };
      const { minSize, maxSize, desiredCapacity: desired } = await group("green", "suspend-array", facts);
      return [minSize, maxSize, desired];
    };
    assert.deepEqual(await created(3), [1, 6, 3]);
    assert.deepEqual(await created(0), [1, 6, 1]);
    assert.deepEqual(await created(9), [1, 6, 6]);
  });

  it("is created with the old one's sizes, too, where scheduled actions change them", async () => {
    const scheduled = exampleConfig((values) => {
      values.generations.blue.array = { ...array, schedules: { day: { recurrence: "0 8 * * *", maxSize: 20 } } };
    });
    const facts = { stated: true, capacity: { minSize: 4, maxSize: 20, desiredCapacity: 12 } };
    const { minSize, maxSize, desiredCapacity } = await group("green", "suspend-array", facts, 3, scheduled);
    assert.deepEqual([minSize, maxSize, desiredCapacity], [4, 20, 12]);
  });

  it("has as many resources with 200 servers as with 2", async () => {
    const names = async (size: number, row: IntentRow) => {
      const of = exampleConfig((values) => {
        values.generations.blue.array = { ...array, minSize: size, maxSize: 2 * size };
      });
      const capacity = { minSize: size, maxSize: 2 * size, desiredCapacity: size };
      return namesOf(await resourcesOf(intent(shapeOf(of), "blue", "green", row), of, { stated: true, capacity }));
    };
    for (const row of ["connect", "suspend-array", "drain", "retire", withdraw] as const)
      assert.deepEqual(await names(200, row), await names(2, row), row);
  });

  it("leaves the target group in drain and on the way back, and keeps its servers", async () => {
    assert.deepEqual((await group("blue", "observe", nothingKnown)).targetGroupArns, ["arn:blue"]);
    assert.deepEqual((await group("blue", "drain", nothingKnown)).targetGroupArns, []);
    assert.deepEqual((await group("green", "withdraw", nothingKnown)).targetGroupArns, []);
  });

  it("launches nothing when the way back creates it because the run had not", async () => {
    const { minSize, desiredCapacity } = await group("green", "withdraw", nothingKnown);
    assert.deepEqual([minSize, desiredCapacity], [0, 0]);
  });
});

describe("array facts", () => {
  const run = (phase: string) => ({ id: "r1", from: "blue", to: "green", phase, step: null });

  it("ask AWS for nothing where there is no array", async () => {
    const plain = shapeOf(exampleConfig());
    const facts = await arrayFacts(intent(plain, "blue", "green", "observe"), run("observe"), undefined);
    assert.deepEqual(facts, { stated: false });
  });

  it("are that nothing was suspended where the first array comes with the new generation", async () => {
    const first = exampleConfig((values) => {
      values.generations.green.array = array;
    });
    const desired = intent(shapeOf(first), "blue", "green", "suspend-array");
    assert.deepEqual(await arrayFacts(desired, run("suspend-array"), undefined), {
      stated: false,
      suspendedByOperator: [],
    });
  });
});
