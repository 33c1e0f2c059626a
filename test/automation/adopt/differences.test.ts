import assert from "node:assert/strict";
import { differences } from "../../../automation/adopt/differences.ts";
import { ofAttributes, ofInstance, ofInterface, ofTargetGroup, ofVolume } from "../../../automation/adopt/usual.ts";
import { compare, type Table } from "../../../automation/cloud/described.ts";
import { sdkFields } from "../cloud/sdk-fields.ts";
import { changed } from "./facts.ts";

const tables: readonly [string, string, Table][] = [
  ["client-ec2", "Instance", ofInstance],
  ["client-ec2", "InstanceNetworkInterface", ofInterface],
  ["client-ec2", "Volume", ofVolume],
  ["client-elastic-load-balancing-v2", "TargetGroup", ofTargetGroup],
];

describe("what AWS describes of a site", () => {
  for (const [client, structure, table] of tables) {
    const fields = sdkFields(client, structure);
    const isRuled = (field: string) =>
      Object.keys(table).some((path) => path === field || path.startsWith(`${field}.`));
    const rule = (field: string) => table[field];

    it(`is told for every field of ${structure} that a new one will not have, known by name or not`, () => {
      for (const field of [...fields, "FieldOfTomorrow"]) {
        const told = compare({ [field]: "odd" }, table).map(({ path }) => path);
        const isOwn = typeof rule(field) === "string";
        assert.deepEqual(told, isOwn ? [] : [field]);
        const parts = compare({ [field]: { PartOfTomorrow: "odd" } }, table).map(({ path }) => path);
        assert.deepEqual(parts, isOwn ? [] : [`${field}.PartOfTomorrow`]);
      }
    });

    it(`has a rule for every field of ${structure} that the SDK knows, and for no other`, () => {
      assert.deepEqual(
        fields.filter((field) => !isRuled(field)),
        [],
      );
      const named = new Set(Object.keys(table).map((path) => path.split(".")[0] ?? ""));
      assert.deepEqual(
        [...named].filter((name) => !fields.includes(name)),
        [],
      );
    });
  }

  it("is told for a server, its root volume, its tags and its target group, once for all that have it", () => {
    const told = differences(
      changed(({ instances, volumes, attributes, targetGroup, targetGroupTags, serverAttributes }) => {
        for (const instance of instances) instance.EbsOptimized = true;
        Object.assign(instances[0], {
          InstanceLifecycle: "spot",
          Ipv6Address: "2001:db8::1",
          Placement: { AvailabilityZone: "us-east-1a", Tenancy: "dedicated", GroupName: "near" },
          FieldOfTomorrow: { Part: 1 },
        });
        instances[0].CpuOptions = { CoreCount: 1, ThreadsPerCore: 1 };
        instances[0].MetadataOptions.HttpPutResponseHopLimit = 2;
        instances[0].Tags.push({ Key: "team", Value: "web" }, { Key: "aws:cloudformation:stack-name", Value: "www" });
        Object.assign(volumes[0], { Encrypted: false, KmsKeyId: "arn:key", Tags: [{ Key: "backup", Value: "daily" }] });
        Object.assign(attributes, {
          "load_balancing.cross_zone.enabled": "false",
          "target_group_health.dns_failover.minimum_healthy_targets.count": "2",
          "attribute.of.tomorrow": "x",
        });
        targetGroup.IpAddressType = "ipv6";
        targetGroupTags.push({ Key: "team", Value: "web" });
        serverAttributes["i-0000000000000002"] = {
          CpuCredits: "unlimited",
          InstanceInitiatedShutdownBehavior: "terminate",
        };
      }),
    );
    assert.deepEqual(told.toSorted(), [
      "Target group www: IpAddressType is ipv6. Those of new generations have ipv4.",
      "Target group www: attribute.of.tomorrow is x. Handover does not know it, and does not ask for it.",
      "Target group www: load_balancing.cross_zone.enabled is false. Those of new generations have use_load_balancer_configuration.",
      "Target group www: tag team is web. Those of new generations have none.",
      "Target group www: target_group_health.dns_failover.minimum_healthy_targets.count is 2. Those of new generations have 1.",
      "i-0000000000000001: CpuOptions.ThreadsPerCore is 1. New servers have 2.",
      "i-0000000000000001: FieldOfTomorrow.Part is 1. Handover does not know it, and does not ask for it.",
      "i-0000000000000001: InstanceLifecycle is spot. New servers have none.",
      "i-0000000000000001: Ipv6Address is 2001:db8::1. New servers have none.",
      "i-0000000000000001: MetadataOptions.HttpPutResponseHopLimit is 2. New servers have 1.",
      "i-0000000000000001: Placement.GroupName is near. New servers have none.",
      "i-0000000000000001: Placement.Tenancy is dedicated. New servers have default.",
      "i-0000000000000001: root volume.Encrypted is false. New servers have true.",
      "i-0000000000000001: root volume.KmsKeyId is arn:key. New servers have the account's key for EBS.",
      "i-0000000000000001: root volume.tag backup is daily. New servers have none.",
      "i-0000000000000001: tag team is web. New servers have none.",
      "i-0000000000000002, i-0000000000000003, i-0000000000000001: EbsOptimized is true. New servers have false.",
      "i-0000000000000002: CpuCredits is unlimited. New servers have the account's default.",
      "i-0000000000000002: InstanceInitiatedShutdownBehavior is terminate. New servers have stop.",
    ]);
    assert.ok(Object.keys(ofAttributes).length > 10);
  });

  it("is declared where the program can say it: a volume's IOPS and throughput", async () => {
    const { launchedWith } = await import("../../../automation/adopt/servers.ts");
    const root = (volume: object) => {
      const { instances, volumes } = changed((facts) => Object.assign(facts.volumes[0], volume));
      const [first = {}] = instances;
      return launchedWith(first, volumes).rootBlockDevice;
    };
    const of = (volumeType: string, more: object = {}) => ({ volumeSize: 20, volumeType, ...more });
    assert.deepEqual(root({ Iops: 4000, Throughput: 250 }), of("gp3", { iops: 4000, throughput: 250 }));
    assert.deepEqual(root({ VolumeType: "io2", Iops: 5000 }), of("io2", { iops: 5000 }));
    assert.deepEqual(root({ VolumeType: "gp2", Iops: 100 }), of("gp2"));
  });

  it("is declared where all servers have it: tags, hop limit, monitoring, credits, placement and the volume's key", async () => {
    const { declaration } = await import("../../../automation/adopt/declaration.ts");
    const facts = changed(({ instances, volumes, serverAttributes }) => {
      for (const instance of instances) {
        instance.Monitoring = { State: "enabled" };
        instance.MetadataOptions.HttpPutResponseHopLimit = 2;
        instance.Placement = { AvailabilityZone: "us-east-1a", Tenancy: "dedicated", GroupName: "near" };
        instance.Tags.push({ Key: "team", Value: "web" }, { Key: "aws:cloudformation:stack-name", Value: "www" });
        serverAttributes[instance.InstanceId] = { CpuCredits: "standard" };
      }
      instances[0].Tags.push({ Key: "first", Value: "yes" });
      for (const volume of volumes) Object.assign(volume, { Encrypted: true, KmsKeyId: "arn:key" });
    });
    const asked = {
      generation: "blue",
      region: "us-east-1",
      hostname: "www.example.com",
      testHostname: "t.example.com",
    };
    const { "handover:generations": generations } = declaration({ ...asked, stack: "www", loadBalancer: "www" }, facts);
    const { tags, metadataHopLimit, monitoring, cpuCredits, tenancy, placementGroup, rootBlockDevice } = (
      generations as Record<string, Record<string, unknown>>
    ).blue as Record<string, unknown>;
    assert.deepEqual(tags, { team: "web" });
    assert.deepEqual(
      [metadataHopLimit, monitoring, cpuCredits, tenancy, placementGroup],
      [2, true, "standard", "dedicated", "near"],
    );
    assert.equal((rootBlockDevice as Record<string, unknown>).kmsKeyId, "arn:key");
    assert.deepEqual(differences(facts), ["i-0000000000000001: tag first is yes. New servers have none."]);
  });
});
