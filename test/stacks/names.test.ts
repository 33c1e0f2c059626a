import assert from "node:assert/strict";
import { parseConfig } from "../../stacks/config.ts";
import { type Intent, intent, settled, shapeOf } from "../../stacks/intent.ts";
import { generationNames, ownerOf, types } from "../../stacks/names.ts";
import { projectDirectory } from "../../stacks/project.ts";
import { type Registered, resourcesOf } from "./resources.ts";
import { exampleConfig, exampleValues } from "./shape.ts";

/** Each begins or ends like another, or like what is added to one. */
const generations = [
  "b",
  "blue",
  "blue-1",
  "blue-1-1",
  "blue1",
  "blue-array",
  "site",
  "site-1",
  "a-2--3",
  "x".repeat(16),
];

const array = {
  minSize: 1,
  maxSize: 6,
  policies: { "cpu-1": { targetTracking: { predefinedMetricType: "ASGAverageCPUUtilization", targetValue: 60 } } },
  schedules: { "cpu-1": { recurrence: "0 22 * * *", maxSize: 2 } },
};

/** Everything that a generation of 11 servers and an array has: short type and name. */
const namesIn = (generation: string): [keyof typeof generationNames, string][] => [
  ["targetGroup", generationNames.targetGroup.of(generation)],
  ...["admin", "a", "blue", "a-2--3", "test"].flatMap((entry): [keyof typeof generationNames, string][] => [
    ["targetGroup", generationNames.targetGroup.of(generation, entry)],
    ["targetGroupAttachment", generationNames.targetGroupAttachment.of(generation, 0, entry)],
    ["targetGroupAttachment", generationNames.targetGroupAttachment.of(generation, 10, entry)],
  ]),
  ["launchTemplate", generationNames.launchTemplate.of(generation)],
  ...Array.from({ length: 11 }, (_, index): [keyof typeof generationNames, string][] => [
    ["instance", generationNames.instance.of(generation, index)],
    ["targetGroupAttachment", generationNames.targetGroupAttachment.of(generation, index)],
  ]).flat(),
  ["autoScalingGroup", generationNames.autoScalingGroup.of(generation)],
  ["scalingPolicy", generationNames.scalingPolicy.of(generation, "cpu-1")],
  ["scheduledAction", generationNames.scheduledAction.of(generation, "cpu-1")],
];

describe("names", () => {
  it("are tried with generations that the configuration allows", () => {
    const values = exampleValues();
    for (const name of generations) values.generations[name] ??= { extends: "blue" };
    assert.ok(parseConfig(values, projectDirectory));
  });

  for (const generation of generations) {
    it(`of what belongs to generation ${generation} lead back to it, for every type`, () => {
      const names = namesIn(generation);
      assert.deepEqual(new Set(names.map(([short]) => short)), new Set(Object.keys(generationNames)));
      for (const [short, name] of names) assert.equal(ownerOf(types[short], name), generation, `${short} ${name}`);
    });
  }

  it("never meet: no two resources of one type have the same one", () => {
    const all = generations.flatMap((generation) => namesIn(generation).map((each) => each.join(" ")));
    assert.equal(new Set(all).size, all.length);
  });

  it("lead to no generation where the program could not have given them", () => {
    const foreign: [string, string][] = [
      [types.instance, "blue"],
      [types.instance, "blue-0"],
      [types.instance, "blue-01"],
      [types.instance, "Blue-1"],
      [types.targetGroup, "blue."],
      [types.targetGroup, "blue-"],
      [types.targetGroupAttachment, "blue-1."],
      [types.scalingPolicy, "blue"],
      [types.loadBalancer, "blue"],
      [types.subnet, "blue-1"],
      ["aws:s3/bucket:Bucket", "blue"],
    ];
    for (const [type, name] of foreign) assert.equal(ownerOf(type, name), undefined, `${type} ${name}`);
  });

  it("tell what the program adds for a generation from everything else", async () => {
    const config = exampleConfig((values) => {
      values.generations.blue.array = array;
      values.generations["blue-1"] = { extends: "blue" };
      values.site.entries = { admin: { port: 9000, listeners: [{ port: 9443 }] } };
    });
    const shape = shapeOf(config);
    const resources = async (desired: Intent) => (await resourcesOf(desired, config)).filter(isAws);
    const both = await resources(intent(shape, "blue", "blue-1", "resume-array"));
    const without = {
      blue: await resources(settled(shape, "blue-1")),
      "blue-1": await resources(settled(shape, "blue")),
    };
    for (const [generation, others] of Object.entries(without)) {
      const kept = new Set([...others.map(nameOf), `${types.ebsSnapshot} database-backup`]);
      const owned = both.filter(({ type, name }) => ownerOf(type, name) === generation);
      assert.deepEqual(
        owned.map(nameOf),
        both.map(nameOf).filter((name) => !kept.has(name)),
      );
      const kinds = Object.keys(generationNames) as (keyof typeof generationNames)[];
      assert.deepEqual(new Set(owned.map(({ type }) => type)), new Set(kinds.map((kind) => types[kind])));
    }
  });

  it("has a type token for everything that the program declares, and no other", async () => {
    const declared = new Set<string>();
    const certificateArns = ["a", "b"].map((name) => `arn:aws:acm:us-east-1:123456789012:certificate/${name}`);
    for (const database of [{ volumeId: "vol-1" }, { dbInstanceIdentifier: "shop" }]) {
      const config = exampleConfig((values) => {
        values.generations.blue.array = array;
        values.site.database = database;
        values.site.entries = { admin: { port: 9000, listeners: [{ port: 9443, certificateArns }] } };
      });
      const resources = await resourcesOf(intent(shapeOf(config), "blue", "green", "resume-array"), config);
      for (const { type } of resources.filter(isAws)) declared.add(type);
    }
    assert.deepEqual([...declared].sort(), Object.values<string>(types).sort());
  });
});

function isAws({ type }: Registered): boolean {
  return type.startsWith("aws:");
}

function nameOf({ type, name }: Registered): string {
  return `${type} ${name}`;
}
