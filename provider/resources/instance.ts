import { ModifyInstanceAttributeCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { CheckFailure } from "../check.ts";
import { unless } from "../errors.ts";
import { boolean, map, number, object, set, string } from "../fields.ts";
import { type Existing, type Operation, resource } from "../resource.ts";
import { updateTags } from "../tags.ts";
import { type InstanceInputs, launch } from "./instance-launch.ts";
import { describeInstance, waitForState } from "./instance-state.ts";
import { updateInstance } from "./instance-update.ts";

const computed = { computed: true };
const chosenOnce = { computed: true, replace: true };

export const instance = resource<aws.ec2.Instance, aws.ec2.InstanceArgs>({
  token: "aws:ec2/instance:Instance",
  fields: {
    ami: string(chosenOnce),
    associatePublicIpAddress: boolean(chosenOnce),
    availabilityZone: string(chosenOnce),
    creditSpecification: object<aws.types.input.ec2.InstanceCreditSpecification>(
      { cpuCredits: string(computed) },
      computed,
    ),
    disableApiStop: boolean(computed),
    disableApiTermination: boolean(computed),
    ebsBlockDevices: set(
      object<aws.types.input.ec2.InstanceEbsBlockDevice>({
        deleteOnTermination: boolean({ default: true }),
        deviceName: string({ required: true }),
        encrypted: boolean(computed),
        iops: number(computed),
        kmsKeyId: string(computed),
        snapshotId: string(computed),
        throughput: number(computed),
        volumeSize: number(computed),
        volumeType: string(computed),
      }),
      chosenOnce,
    ),
    ebsOptimized: boolean(chosenOnce),
    forceDestroy: boolean({ default: false, writeOnly: true }),
    iamInstanceProfile: string(computed),
    instanceInitiatedShutdownBehavior: string(computed),
    instanceType: string(computed),
    keyName: string(chosenOnce),
    launchTemplate: object<aws.types.input.ec2.InstanceLaunchTemplate>(
      { id: string(computed), name: string(computed), version: string({ default: "$Default" }) },
      { replace: true },
    ),
    metadataOptions: object<aws.types.input.ec2.InstanceMetadataOptions>(
      {
        httpEndpoint: string(computed),
        httpProtocolIpv6: string(computed),
        httpPutResponseHopLimit: number(computed),
        httpTokens: string(computed),
        instanceMetadataTags: string(computed),
      },
      computed,
    ),
    monitoring: boolean(computed),
    placementGroup: string(chosenOnce),
    privateIp: string(chosenOnce),
    rootBlockDevice: object<aws.types.input.ec2.InstanceRootBlockDevice>(
      {
        deleteOnTermination: boolean({ default: true }),
        encrypted: boolean(chosenOnce),
        iops: number(computed),
        kmsKeyId: string(chosenOnce),
        tags: map(),
        throughput: number(computed),
        volumeSize: number(computed),
        volumeType: string(computed),
      },
      computed,
    ),
    sourceDestCheck: boolean({ default: true }),
    subnetId: string(chosenOnce),
    tags: map(),
    tenancy: string(chosenOnce),
    userData: string(computed),
    userDataBase64: string(computed),
    userDataReplaceOnChange: boolean({ default: false, writeOnly: true }),
    volumeTags: map(),
    vpcSecurityGroupIds: set(string(), computed),
  },
  computed: {
    arn: true,
    instanceLifecycle: true,
    instanceState: true,
    outpostArn: true,
    passwordData: true,
    primaryNetworkInterfaceId: true,
    privateDns: true,
    publicDns: true,
    publicIp: true,
    spotInstanceRequestId: true,
  },

  check: checkInstance,
  replaces: (news) => (news.userDataReplaceOnChange ? ["userData", "userDataBase64"] : []),

  async create(inputs, creation) {
    const id = await launch(inputs, creation);
    creation.created(id);
    await waitForState(creation, id, "running");
    if (inputs.rootBlockDevice?.tags !== undefined) await tagRootVolume(creation, id, inputs.rootBlockDevice.tags);
    if (inputs.sourceDestCheck === false) {
      await creation.cloud.ec2.send(
        new ModifyInstanceAttributeCommand({ InstanceId: id, SourceDestCheck: { Value: false } }),
      );
    }
    return id;
  },

  read: describeInstance,
  isSettled: ({ instanceState }) => instanceState !== "pending",
  update: updateInstance,

  async delete(existing) {
    const { id, cloud, state } = existing;
    if (state.forceDestroy) await unprotect(existing);
    const command = new TerminateInstancesCommand({ InstanceIds: [id] });
    const answer = await unless(["InvalidInstanceID.NotFound"], cloud.ec2.send(command));
    if (answer !== undefined) await waitForState(existing, id, "terminated");
  },
});

function checkInstance(inputs: InstanceInputs): CheckFailure[] {
  const excluding = (a: keyof InstanceInputs, b: keyof InstanceInputs) =>
    inputs[a] === undefined || inputs[b] === undefined
      ? []
      : [{ property: a, reason: `${a} and ${b} exclude each other` }];
  const needed = (["ami", "instanceType"] as const).filter((key) => inputs[key] === undefined);
  return [
    ...(inputs.launchTemplate === undefined
      ? needed.map((property) => ({ property, reason: `${property} is required where there is no launchTemplate` }))
      : []),
    ...excluding("userData", "userDataBase64"),
    ...(inputs.rootBlockDevice?.tags === undefined ? [] : excluding("volumeTags", "rootBlockDevice")),
  ];
}

async function tagRootVolume(
  { cloud, signal }: Operation,
  id: string,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  const volume = await cloud.instances.waitFor(
    id,
    (found) => found?.BlockDeviceMappings?.find(({ DeviceName }) => DeviceName === found.RootDeviceName)?.Ebs?.VolumeId,
    { what: `${id} to have its root volume`, timeoutSeconds: 120, signal },
  );
  await updateTags(cloud, volume, {}, tags);
}

async function unprotect({ id, cloud }: Existing<aws.ec2.Instance>): Promise<void> {
  for (const attribute of ["DisableApiStop", "DisableApiTermination"] as const) {
    const command = new ModifyInstanceAttributeCommand({ InstanceId: id, [attribute]: { Value: false } });
    await unless(["InvalidInstanceID.NotFound", "IncorrectInstanceState"], cloud.ec2.send(command));
  }
}
