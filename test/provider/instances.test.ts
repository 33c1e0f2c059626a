import assert from "node:assert/strict";
import type { Properties } from "../../provider/values.ts";
import { type Deployed, Harness } from "./harness.ts";
import { itLivesAs } from "./lifecycle.ts";
import { createNetwork, type Network } from "./network.ts";

const token = "aws:ec2/instance:Instance";
const ami = "ami-0a1b2c3d4e5f60001";

describe("The provider's instances, with what is used less", function () {
  this.timeout(60_000);
  let harness: Harness;
  let network: Network;
  let template: Deployed;
  const program = (settings: Properties = {}): Properties => ({
    ami,
    instanceType: "t3.small",
    subnetId: network.subnets[0]?.id,
    vpcSecurityGroupIds: [network.group.id],
    ...settings,
  });

  before(async () => {
    harness = await Harness.start();
    network = await createNetwork(harness);
    template = await harness.create("aws:ec2/launchTemplate:LaunchTemplate", "template", {
      imageId: ami,
      instanceType: "t3.small",
      disableApiTermination: false,
      ebsOptimized: "true",
      placement: { availabilityZone: "us-east-1a" },
      creditSpecification: { cpuCredits: "standard" },
    });
    await createProfile(harness, "one");
  });

  after(() => harness?.cloud.stop());

  itLivesAs(
    "protected, an Instance",
    () => harness,
    () => ({
      token,
      inputs: program({
        disableApiTermination: true,
        disableApiStop: true,
        forceDestroy: true,
        iamInstanceProfile: "one",
        instanceInitiatedShutdownBehavior: "terminate",
        sourceDestCheck: false,
        ebsOptimized: true,
      }),
      change: { disableApiStop: false, sourceDestCheck: true },
      replace: { ebsOptimized: false, tenancy: "dedicated", placementGroup: "close" },
      untold: ["forceDestroy"],
    }),
  );

  it("give their volumes tags, and take those back that the program says no more", async () => {
    const inputs = program({ volumeTags: { Name: "disk", of: "shop" } });
    let deployed = await harness.create(token, "tagged", inputs);
    assert.deepEqual((await harness.refresh(deployed))?.inputs, deployed.inputs);
    deployed = await harness.update(deployed, program({ volumeTags: { Name: "the disk" } }));
    assert.deepEqual((await harness.refresh(deployed))?.state.volumeTags, { Name: "the disk" });
    deployed = await harness.update(deployed, program());
    assert.equal((deployed.state.rootBlockDevice as Properties).tags, undefined);
    await harness.delete(deployed);
  });

  itLivesAs(
    "with volumes, an Instance",
    () => harness,
    () => ({
      token,
      inputs: program({
        rootBlockDevice: { encrypted: true, volumeSize: 20, tags: { Name: "root" } },
        ebsBlockDevices: [{ deviceName: "/dev/sdf", volumeSize: 4, volumeType: "gp3" }],
      }),
      change: { rootBlockDevice: { encrypted: true, volumeSize: 24, tags: { Name: "the root" } } },
      replace: { ebsBlockDevices: [{ deviceName: "/dev/sdf", volumeSize: 8, volumeType: "gp3" }] },
    }),
  );

  itLivesAs(
    "from a template, an Instance",
    () => harness,
    () => ({
      token,
      inputs: { launchTemplate: { id: template.id, version: "1" }, subnetId: network.subnets[0]?.id },
      change: { tags: { Name: "from a template" } },
      replace: { launchTemplate: { id: "lt-0", version: "1" } },
      outputs: ["ami", "instanceType", "arn"],
    }),
  );

  it("are replaced when `$Latest` of their template is another version than theirs", async () => {
    const named = { imageId: ami, instanceType: "t3.small" };
    const newest = await harness.create("aws:ec2/launchTemplate:LaunchTemplate", "newest", named);
    const inputs = { launchTemplate: { name: newest.state.name, version: "$Latest" } };
    const deployed = await harness.create(token, "latest", inputs);
    const same = await harness.refresh(deployed);
    assert.ok(same);
    assert.deepEqual(harness.diff(same, inputs).differences, []);
    await harness.update(newest, { ...named, instanceType: "t3.medium" });
    const outdated = await harness.refresh(deployed);
    assert.ok(outdated);
    assert.deepEqual(harness.diff(outdated, inputs).differences, [
      { path: "launchTemplate.version", kind: "update", replace: true },
    ]);
    await harness.delete(deployed);
  });

  it("need an image and a type where there is no template, and not both forms of user data", () => {
    const check = (inputs: Properties) => {
      const urn = harness.urn(token, "wrong");
      return harness.provider.check({ urn }, {}, inputs, Buffer.from("x")).failures.map(({ reason }) => reason);
    };
    assert.deepEqual(check({}), [
      "ami is required where there is no launchTemplate",
      "instanceType is required where there is no launchTemplate",
    ]);
    assert.deepEqual(check({ ...program(), userData: "a", userDataBase64: "YQ==" }), [
      "userData and userDataBase64 exclude each other",
    ]);
  });

  itLivesAs(
    "with everything, a LaunchTemplate",
    () => harness,
    () => ({
      token: "aws:ec2/launchTemplate:LaunchTemplate",
      refused: ["namePrefix and name exclude each other"],
      inputs: {
        imageId: ami,
        namePrefix: "shop-",
        cpuOptions: { coreCount: 1, threadsPerCore: 2 },
        creditSpecification: { cpuCredits: "unlimited" },
        disableApiStop: true,
        ebsOptimized: "false",
        iamInstanceProfile: { name: "one" },
        instanceInitiatedShutdownBehavior: "terminate",
        maintenanceOptions: { autoRecovery: "disabled" },
        networkInterfaces: [{ associatePublicIpAddress: "false", securityGroups: [network.group.id] }],
        placement: { availabilityZone: "us-east-1a", tenancy: "default" },
        monitoring: { enabled: true },
        tagSpecifications: [{ resourceType: "instance", tags: { Name: "web" } }],
      },
      change: { disableApiStop: false, placement: { availabilityZone: "us-east-1b" }, ebsOptimized: "true" },
      replace: { namePrefix: "other-" },
      outputs: ["arn", "name", "latestVersion"],
    }),
  );
});

/** There is no client for IAM here; the cloud takes the service's name from the credentials' scope. */
async function createProfile({ cloud }: Harness, name: string): Promise<void> {
  const scope = "Credential=test/20260101/us-east-1/iam/aws4_request";
  const response = await fetch(cloud.url, {
    method: "POST",
    headers: { authorization: `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=0` },
    body: new URLSearchParams({ Action: "CreateInstanceProfile", Version: "2010-05-08", InstanceProfileName: name }),
  });
  assert.ok(response.ok, await response.text());
}
