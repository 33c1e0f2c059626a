import {
  AssociateIamInstanceProfileCommand,
  DescribeIamInstanceProfileAssociationsCommand,
  ModifyInstanceAttributeCommand,
  ModifyInstanceCreditSpecificationCommand,
  ModifyInstanceMetadataOptionsCommand,
  ModifyNetworkInterfaceAttributeCommand,
  ModifyVolumeCommand,
  MonitorInstancesCommand,
  ReplaceIamInstanceProfileAssociationCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  UnmonitorInstancesCommand,
} from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { Change } from "../resource.ts";
import { updateTags } from "../tags.ts";
import { waitForState } from "./instance-state.ts";

type InstanceChange = Change<aws.ec2.InstanceArgs, aws.ec2.Instance>;

export async function updateInstance(change: InstanceChange): Promise<void> {
  const { cloud, id, olds, news, changed } = change;
  const modify = (attribute: Omit<ModifyInstanceAttributeCommand["input"], "InstanceId">) =>
    cloud.ec2.send(new ModifyInstanceAttributeCommand({ InstanceId: id, ...attribute }));

  await updateTags(cloud, id, olds.tags, news.tags);
  if (changed("vpcSecurityGroupIds")) {
    const NetworkInterfaceId = change.state.primaryNetworkInterfaceId;
    const Groups = news.vpcSecurityGroupIds;
    await cloud.ec2.send(new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId, Groups }));
  }
  if (changed("sourceDestCheck")) await modify({ SourceDestCheck: { Value: news.sourceDestCheck } });
  if (changed("disableApiTermination")) await modify({ DisableApiTermination: { Value: news.disableApiTermination } });
  if (changed("disableApiStop")) await modify({ DisableApiStop: { Value: news.disableApiStop } });
  if (changed("instanceInitiatedShutdownBehavior")) {
    await modify({ InstanceInitiatedShutdownBehavior: { Value: news.instanceInitiatedShutdownBehavior } });
  }
  if (changed("iamInstanceProfile")) await updateProfile(change);
  if (changed("volumeTags")) await updateVolumeTags(change);
  if (changed("monitoring")) {
    const InstanceIds = [id];
    if (news.monitoring) await cloud.ec2.send(new MonitorInstancesCommand({ InstanceIds }));
    else await cloud.ec2.send(new UnmonitorInstancesCommand({ InstanceIds }));
  }
  if (changed("creditSpecification") && news.creditSpecification !== undefined) {
    const specification = { InstanceId: id, CpuCredits: news.creditSpecification.cpuCredits };
    const command = new ModifyInstanceCreditSpecificationCommand({ InstanceCreditSpecifications: [specification] });
    await cloud.ec2.send(command);
  }
  if (changed("metadataOptions")) await updateMetadataOptions(change);
  if (changed("rootBlockDevice")) await updateRootDevice(change);
  if (changed("instanceType", "userData", "userDataBase64")) await restartWith(change);
  // A creation that was cut off may have left it on its way.
  await waitForState(change, id, "running");
}

async function updateMetadataOptions({ cloud, id, news }: InstanceChange): Promise<void> {
  const { metadataOptions: options } = news;
  await cloud.ec2.send(
    new ModifyInstanceMetadataOptionsCommand({
      InstanceId: id,
      HttpEndpoint: options?.httpEndpoint as "enabled" | undefined,
      HttpProtocolIpv6: options?.httpProtocolIpv6 as "enabled" | undefined,
      HttpPutResponseHopLimit: options?.httpPutResponseHopLimit,
      HttpTokens: options?.httpTokens as "required" | undefined,
      InstanceMetadataTags: options?.instanceMetadataTags as "enabled" | undefined,
    }),
  );
}

/** The next one in one call, so that the server is never without. */
async function updateProfile({ cloud, id, news }: InstanceChange): Promise<void> {
  const IamInstanceProfile = { Name: String(news.iamInstanceProfile) };
  const Filters = [{ Name: "instance-id", Values: [id] }];
  const { IamInstanceProfileAssociations: [current] = [] } = await cloud.ec2.send(
    new DescribeIamInstanceProfileAssociationsCommand({ Filters }),
  );
  const { AssociationId } = current ?? {};
  await (AssociationId === undefined
    ? cloud.ec2.send(new AssociateIamInstanceProfileCommand({ InstanceId: id, IamInstanceProfile }))
    : cloud.ec2.send(new ReplaceIamInstanceProfileAssociationCommand({ AssociationId, IamInstanceProfile })));
}

async function updateVolumeTags({ cloud, id, olds, news }: InstanceChange): Promise<void> {
  for (const { Ebs } of (await cloud.instances.describe(id))?.BlockDeviceMappings ?? []) {
    if (Ebs?.VolumeId !== undefined) await updateTags(cloud, Ebs.VolumeId, olds.volumeTags, news.volumeTags);
  }
}

async function updateRootDevice({ cloud, id, olds, news, state }: InstanceChange): Promise<void> {
  const before = olds.rootBlockDevice;
  const after = news.rootBlockDevice;
  const { volumeId, deviceName } = state.rootBlockDevice ?? {};
  if (volumeId !== undefined) await updateTags(cloud, volumeId, before?.tags, after?.tags);
  const keys = ["volumeSize", "volumeType", "iops", "throughput"] as const;
  if (keys.some((key) => after?.[key] !== undefined && after[key] !== before?.[key])) {
    await cloud.ec2.send(
      new ModifyVolumeCommand({
        VolumeId: volumeId,
        Size: after?.volumeSize,
        VolumeType: after?.volumeType as "gp3" | undefined,
        Iops: after?.iops,
        Throughput: after?.throughput,
      }),
    );
  }
  if (after?.deleteOnTermination !== before?.deleteOnTermination) {
    const Ebs = { DeleteOnTermination: after?.deleteOnTermination };
    const BlockDeviceMappings = [{ DeviceName: deviceName, Ebs }];
    await cloud.ec2.send(new ModifyInstanceAttributeCommand({ InstanceId: id, BlockDeviceMappings }));
  }
}

/** These can only change while the server is stopped. */
async function restartWith(change: InstanceChange): Promise<void> {
  const { cloud, id, news, changed } = change;
  await cloud.ec2.send(new StopInstancesCommand({ InstanceIds: [id] }));
  await waitForState(change, id, "stopped");
  if (changed("instanceType")) {
    const InstanceType = { Value: news.instanceType };
    await cloud.ec2.send(new ModifyInstanceAttributeCommand({ InstanceId: id, InstanceType }));
  }
  if (changed("userData", "userDataBase64")) {
    const Value = Buffer.from(news.userDataBase64 ?? news.userData ?? "", news.userDataBase64 ? "base64" : "utf8");
    await cloud.ec2.send(new ModifyInstanceAttributeCommand({ InstanceId: id, UserData: { Value } }));
  }
  await cloud.ec2.send(new StartInstancesCommand({ InstanceIds: [id] }));
}
