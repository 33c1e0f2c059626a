import assert from "node:assert/strict";
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeImagesCommand,
  ReleaseAddressCommand,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import { ElasticIps } from "../../../automation/cloud/elastic-ips.ts";
import { checkElasticIps } from "../../../automation/run/elastic-ips.ts";
import { ConfigError } from "../../../stacks/config.ts";
import type { LastOutputs } from "../../../stacks/outputs.ts";
import { cloudForTests, eventually, type TestCloud } from "../../sandbox/support.ts";
import { exampleConfig } from "../../stacks/shape.ts";

describe("Elastic IPs before anything is created", () => {
  let cloud: TestCloud;
  let free: string;
  let taken: string;
  let ours: string;
  let servers: readonly string[] = [];

  before(async () => {
    const pools = ["ipv4pool-ec2-0a1b", "ipam-pool-0a1b"].map((poolId) => ({ poolId, addressCount: 3 }));
    cloud = await cloudForTests({ pools });
    const { ec2 } = cloud;
    const VpcId = (await ec2.send(new CreateVpcCommand({ CidrBlock: "127.66.0.0/16" }))).Vpc?.VpcId;
    const { Subnet } = await ec2.send(new CreateSubnetCommand({ VpcId, CidrBlock: "127.66.0.0/24" }));
    const { Images: [image] = [] } = await ec2.send(new DescribeImagesCommand({}));
    const launch = async (site: string) => {
      const { Instances: [instance] = [] } = await ec2.send(
        new RunInstancesCommand({
          ...{
            ImageId: image?.ImageId,
            InstanceType: "t3.micro",
            SubnetId: Subnet?.SubnetId,
            MinCount: 1,
            MaxCount: 1,
          },
          TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "handover:site", Value: site }] }],
        }),
      );
      return instance?.InstanceId ?? "";
    };
    servers = await Promise.all(["handover-staging", "another"].map(launch));
    const allocate = async () => (await ec2.send(new AllocateAddressCommand({ Domain: "vpc" }))).AllocationId ?? "";
    [free, ours, taken] = [await allocate(), await allocate(), await allocate()];
    for (const [index, AllocationId] of [ours, taken].entries())
      await eventually(async () => {
        const command = new AssociateAddressCommand({ AllocationId, InstanceId: servers[index] });
        return ec2.send(command).then(
          () => true,
          () => false,
        );
      }, "an address on a server");
  });
  after(() => cloud?.stop());

  async function problemsOf(elasticIps: unknown, { held = [], limit }: Given = {}): Promise<readonly string[]> {
    const config = exampleConfig((values) => {
      values.site.elasticIps = elasticIps;
      for (const generation of Object.values(values.generations) as { frontends?: number }[]) generation.frontends = 10;
    });
    const addresses = held.map((allocationId) => ({ allocationId, publicIp: "198.51.100.1", instanceId: "i-1" }));
    const last = held.length > 0 && ({ outputs: { addresses }, definitions: {} } as unknown as LastOutputs);
    const aws = { elasticIps: new ElasticIps(cloud.ec2), quotas: { limit: async () => limit } };
    const asked = { site: "handover-staging", region: "us-east-1", config, last: last || undefined, aws };
    try {
      await checkElasticIps(asked, AbortSignal.timeout(30_000));
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
  }

  interface Given {
    readonly held?: readonly string[];
    readonly limit?: number;
  }

  it("are fine where the file names some that are free, or a cut off update had given to the site's own servers", async () => {
    assert.deepEqual(await problemsOf([free, ours]), []);
  });

  it("are refused by name where the file names one that is not there, or that somebody else uses", async () => {
    const [absent, used, ...none] = await problemsOf([free, "eipalloc-0000000000000000f", taken]);
    assert.match(absent ?? "", /elasticIps: eipalloc-0000000000000000f does not exist in this region/);
    assert.match(
      used ?? "",
      new RegExp(`elasticIps: ${taken} \\([\\d.]+\\) is associated with ${servers[1]}, which is no`),
    );
    assert.deepEqual(none, []);
  });

  it("are not asked about once the site has them", async () => {
    assert.deepEqual(await problemsOf([taken, free], { held: [taken] }), []);
  });

  it("are refused where a pool is not there or too small for those that are missing", async () => {
    for (const [key, id] of [
      ["publicIpv4Pool", "ipv4pool-ec2-0a1b"],
      ["ipamPoolId", "ipam-pool-0a1b"],
    ] as const) {
      assert.deepEqual(await problemsOf({ count: 3, [key]: id }), []);
      assert.match(
        (await problemsOf({ count: 4, [key]: id })).join(),
        new RegExp(`${key}: ${id} has 3 free addresses, and 4`),
      );
      assert.deepEqual(await problemsOf({ count: 4, [key]: id }, { held: ["eipalloc-1"] }), []);
      assert.match(
        (await problemsOf({ count: 1, [key]: `${id}9` })).join(),
        new RegExp(`${key}: ${id}9 does not exist`),
      );
    }
    const { AllocationId } = await cloud.ec2.send(new AllocateAddressCommand({ IpamPoolId: "ipam-pool-0a1b" }));
    assert.match(
      (await problemsOf({ count: 3, ipamPoolId: "ipam-pool-0a1b" })).join(),
      /has 2 free addresses/,
      AllocationId,
    );
  });

  it("are not allocated a second time where an update that was cut off has done so", async () => {
    const Tags = [{ Key: "handover:site", Value: "handover-staging" }];
    const TagSpecifications = [{ ResourceType: "elastic-ip" as const, Tags }];
    const { AllocationId } = await cloud.ec2.send(new AllocateAddressCommand({ Domain: "vpc", TagSpecifications }));
    assert.deepEqual(await problemsOf(2, { limit: 5 }), []);
    assert.match((await problemsOf(3, { limit: 5 })).join(), /4 of the account's 5 Elastic IPs are used, and 2 more/);
    await cloud.ec2.send(new ReleaseAddressCommand({ AllocationId }));
  });

  it("are refused where the account's quota has no room, as far as it may be asked for", async () => {
    assert.match(
      (await problemsOf(3, { limit: 5 })).join(),
      /elasticIps: 3 of the account's 5 Elastic IPs are used, and 3 more/,
    );
    assert.deepEqual(await problemsOf(2, { limit: 5 }), []);
    assert.deepEqual(await problemsOf(3, { limit: 5, held: [free, ours] }), []);
    assert.deepEqual(await problemsOf(3), []);
  });
});
