import assert from "node:assert/strict";
import {
  CreateLaunchTemplateCommand,
  CreateLaunchTemplateVersionCommand,
  DescribeInstanceAttributeCommand,
  DescribeLaunchTemplatesCommand,
  DescribeLaunchTemplateVersionsCommand,
  DescribeVolumesCommand,
  ModifyLaunchTemplateCommand,
  type RequestLaunchTemplateData,
} from "@aws-sdk/client-ec2";
import { cloudForTests, errorCode, type TestCloud } from "../support.ts";
import { image, launch, network, uniqueName } from "./world.ts";

describe("The cloud's launch templates", () => {
  let cloud: TestCloud;
  before(async () => {
    cloud = await cloudForTests();
  });
  after(() => cloud.stop());

  const create = async (LaunchTemplateData: RequestLaunchTemplateData, extra = {}) => {
    const { LaunchTemplate } = await cloud.ec2.send(
      new CreateLaunchTemplateCommand({ LaunchTemplateName: uniqueName("template"), LaunchTemplateData, ...extra }),
    );
    return LaunchTemplate?.LaunchTemplateId ?? "";
  };
  const versions = async (LaunchTemplateId: string, ...Versions: string[]) =>
    (await cloud.ec2.send(new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId, Versions })))
      .LaunchTemplateVersions ?? [];

  it("take from the source version what a new version does not state", async () => {
    const LaunchTemplateId = await create({ ImageId: image, InstanceType: "t3.micro", KeyName: "key" });
    await cloud.ec2.send(
      new CreateLaunchTemplateVersionCommand({
        LaunchTemplateId,
        SourceVersion: "1",
        LaunchTemplateData: { InstanceType: "t3.large" },
      }),
    );
    const [version] = await versions(LaunchTemplateId, "2");
    assert.equal(version?.LaunchTemplateData?.ImageId, image);
    assert.equal(version?.LaunchTemplateData?.KeyName, "key");
    assert.equal(version?.LaunchTemplateData?.InstanceType, "t3.large");
  });

  it("have a latest and a default version, and the default is set by number", async () => {
    const LaunchTemplateId = await create({ ImageId: image });
    await cloud.ec2.send(
      new CreateLaunchTemplateVersionCommand({ LaunchTemplateId, LaunchTemplateData: { ImageId: image } }),
    );
    const numbers = async () =>
      (await versions(LaunchTemplateId, "$Latest", "$Default")).map(({ VersionNumber }) => VersionNumber);
    assert.deepEqual(await numbers(), [2, 1]);
    await cloud.ec2.send(new ModifyLaunchTemplateCommand({ LaunchTemplateId, DefaultVersion: "2" }));
    assert.deepEqual(await numbers(), [2, 2]);
  });

  it("are created once per client token", async () => {
    const data = { ImageId: image };
    const input = { LaunchTemplateName: "with-token", LaunchTemplateData: data, ClientToken: "one-template" };
    const first = await cloud.ec2.send(new CreateLaunchTemplateCommand(input));
    const again = await cloud.ec2.send(new CreateLaunchTemplateCommand(input));
    assert.equal(again.LaunchTemplate?.LaunchTemplateId, first.LaunchTemplate?.LaunchTemplateId);
    const other = { ...input, LaunchTemplateData: { ImageId: image, KeyName: "key" } };
    assert.equal(
      await errorCode(cloud.ec2.send(new CreateLaunchTemplateCommand(other))),
      "IdempotentParameterMismatch",
    );
  });

  it("keep their own tags out of their data", async () => {
    const tags = [{ ResourceType: "launch-template" as const, Tags: [{ Key: "of", Value: "test" }] }];
    const LaunchTemplateId = await create({ ImageId: image }, { TagSpecifications: tags });
    const [version] = await versions(LaunchTemplateId, "1");
    assert.deepEqual(version?.LaunchTemplateData?.TagSpecifications ?? [], []);
    const { LaunchTemplates } = await cloud.ec2.send(
      new DescribeLaunchTemplatesCommand({ LaunchTemplateIds: [LaunchTemplateId] }),
    );
    assert.deepEqual(LaunchTemplates?.[0]?.Tags, [{ Key: "of", Value: "test" }]);
  });

  it("that do not exist are an error", async () => {
    const describe = cloud.ec2.send(
      new DescribeLaunchTemplatesCommand({ LaunchTemplateIds: ["lt-00000000000000000"] }),
    );
    assert.equal(await errorCode(describe), "InvalidLaunchTemplateId.NotFound");
  });

  it("give an instance everything that the launch leaves out", async () => {
    const { subnetIds, securityGroupId } = await network(cloud.ec2);
    const LaunchTemplateId = await create({
      ImageId: image,
      InstanceType: "t3.small",
      UserData: Buffer.from("#cloud-config\n").toString("base64"),
      MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 2 },
      NetworkInterfaces: [
        { DeviceIndex: 0, SubnetId: subnetIds[1], Groups: [securityGroupId], AssociatePublicIpAddress: false },
      ],
      BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { Encrypted: true, VolumeSize: 12 } }],
      Monitoring: { Enabled: true },
      TagSpecifications: [
        { ResourceType: "instance", Tags: [{ Key: "a", Value: "template" }] },
        { ResourceType: "volume", Tags: [{ Key: "v", Value: "template" }] },
      ],
    });
    const instance = await launch(cloud.ec2, {
      ImageId: undefined,
      InstanceType: undefined,
      LaunchTemplate: { LaunchTemplateId, Version: "$Latest" },
      TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "b", Value: "call" }] }],
    });
    assert.equal(instance.ImageId, image);
    assert.equal(instance.InstanceType, "t3.small");
    assert.equal(instance.SubnetId, subnetIds[1]);
    assert.equal(instance.SecurityGroups?.[0]?.GroupId, securityGroupId);
    assert.equal(instance.MetadataOptions?.HttpTokens, "required");
    assert.equal(instance.MetadataOptions?.HttpPutResponseHopLimit, 2);
    assert.equal(instance.Monitoring?.State, "enabled");
    assert.equal(instance.PublicIpAddress, undefined);
    const tags = Object.fromEntries((instance.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
    assert.deepEqual([tags.a, tags.b], ["template", "call"]);
    assert.equal(tags["aws:ec2launchtemplate:id"], LaunchTemplateId);
    const { UserData } = await cloud.ec2.send(
      new DescribeInstanceAttributeCommand({ InstanceId: instance.InstanceId, Attribute: "userData" }),
    );
    assert.equal(Buffer.from(UserData?.Value ?? "", "base64").toString(), "#cloud-config\n");
    const filter = { Name: "attachment.instance-id", Values: [instance.InstanceId ?? ""] };
    const { Volumes } = await cloud.ec2.send(new DescribeVolumesCommand({ Filters: [filter] }));
    assert.deepEqual(
      Volumes?.map(({ Size, Encrypted, Tags }) => [Size, Encrypted, Tags?.[0]?.Value]),
      [[12, true, "template"]],
    );
  });

  it("with empty user data give none", async () => {
    const LaunchTemplateId = await create({ ImageId: image, InstanceType: "t3.small", UserData: "" });
    const { InstanceId } = await launch(cloud.ec2, { LaunchTemplate: { LaunchTemplateId } });
    const { UserData } = await cloud.ec2.send(
      new DescribeInstanceAttributeCommand({ InstanceId, Attribute: "userData" }),
    );
    assert.equal(UserData?.Value, undefined);
  });

  it("give way to what the launch states", async () => {
    const { subnetIds, securityGroupId } = await network(cloud.ec2);
    const LaunchTemplateId = await create({
      ImageId: image,
      InstanceType: "t3.small",
      MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 2 },
      SecurityGroupIds: ["sg-00000000000000000"],
    });
    const instance = await launch(cloud.ec2, {
      InstanceType: "t3.large",
      LaunchTemplate: { LaunchTemplateId },
      SubnetId: subnetIds[0],
      SecurityGroupIds: [securityGroupId],
      MetadataOptions: { HttpPutResponseHopLimit: 3 },
    });
    assert.equal(instance.InstanceType, "t3.large");
    assert.deepEqual(
      instance.SecurityGroups?.map(({ GroupId }) => GroupId),
      [securityGroupId],
    );
    assert.equal(instance.MetadataOptions?.HttpTokens, "required");
    assert.equal(instance.MetadataOptions?.HttpPutResponseHopLimit, 3);
  });

  it("with a network interface refuse a subnet beside it", async () => {
    const { subnetIds, securityGroupId } = await network(cloud.ec2);
    const LaunchTemplateId = await create({
      ImageId: image,
      InstanceType: "t3.small",
      NetworkInterfaces: [{ DeviceIndex: 0, Groups: [securityGroupId] }],
    });
    const refused = launch(cloud.ec2, { LaunchTemplate: { LaunchTemplateId }, SubnetId: subnetIds[0] });
    assert.equal(await errorCode(refused), "InvalidParameterCombination");
  });
});
