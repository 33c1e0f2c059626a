import {
  type Instance,
  type InstanceStateName,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { unless } from "../errors.ts";
import { boolean, map, number, object, set, string } from "../fields.ts";
import { type Creation, type InputsOf, type Operation, resource } from "../resource.ts";
import { tagSpecifications } from "../tags.ts";
import { describeInstance } from "./instance-state.ts";
import { updateInstance } from "./instance-update.ts";

export type InstanceInputs = InputsOf<aws.ec2.InstanceArgs>;

const computed = { computed: true };
const chosenOnce = { computed: true, replace: true };

export const instance = resource<aws.ec2.Instance, aws.ec2.InstanceArgs>({
  token: "aws:ec2/instance:Instance",
  fields: {
    ami: string({ required: true, replace: true }),
    associatePublicIpAddress: boolean(chosenOnce),
    availabilityZone: string(chosenOnce),
    disableApiTermination: boolean(computed),
    instanceType: string({ required: true }),
    keyName: string(chosenOnce),
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
    privateIp: string(chosenOnce),
    rootBlockDevice: object<aws.types.input.ec2.InstanceRootBlockDevice>(
      {
        deleteOnTermination: boolean({ default: true }),
        encrypted: boolean(chosenOnce),
        iops: number(computed),
        kmsKeyId: string(chosenOnce),
        throughput: number(computed),
        volumeSize: number(computed),
        volumeType: string(computed),
      },
      computed,
    ),
    sourceDestCheck: boolean({ default: true }),
    subnetId: string(chosenOnce),
    tags: map(),
    userData: string(computed),
    userDataBase64: string(computed),
    userDataReplaceOnChange: boolean({ default: false, writeOnly: true }),
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

  replaces: (news) => (news.userDataReplaceOnChange ? ["userData", "userDataBase64"] : []),

  async create(inputs, creation) {
    const id = await launch(inputs, creation);
    creation.created(id);
    await waitForState(creation, id, "running");
    return id;
  },

  read: describeInstance,
  update: updateInstance,

  async delete(existing) {
    const { id, cloud } = existing;
    const command = new TerminateInstancesCommand({ InstanceIds: [id] });
    const answer = await unless(["InvalidInstanceID.NotFound"], cloud.ec2.send(command));
    if (answer !== undefined) await waitForState(existing, id, "terminated");
  },
});

/** Launches, or takes what a creation that a crash cut off has launched; never one that was terminated since. */
async function launch(inputs: InstanceInputs, creation: Creation): Promise<string> {
  const { cloud, signal } = creation;
  const request = await runInstances(inputs, cloud);
  for (let attempt = 0; ; attempt += 1) {
    const command = new RunInstancesCommand({ ...request, ClientToken: creation.token(attempt) });
    // AWS answers with the terminated instance, or with this error.
    const answer = await unless(["IdempotentInstanceTerminated"], cloud.ec2.send(command));
    if (answer === undefined) continue;
    const id = answer.Instances?.[0]?.InstanceId ?? "";
    const found = await cloud.instances.waitFor(id, (instance) => instance, {
      what: `${id} to be known`,
      timeoutSeconds: 120,
      signal,
    });
    if (!wasTerminatedBefore(found)) return id;
  }
}

function wasTerminatedBefore({ State, StateReason }: Instance): boolean {
  const isGone = State?.Name === "terminated" || State?.Name === "shutting-down";
  return isGone && StateReason?.Code === "Client.UserInitiatedShutdown";
}

async function runInstances(inputs: InstanceInputs, cloud: Cloud): Promise<RunInstancesCommandInput> {
  const { associatePublicIpAddress, subnetId, privateIp, vpcSecurityGroupIds, metadataOptions } = inputs;
  const placed = { SubnetId: subnetId, PrivateIpAddress: privateIp };
  // Whether there is a public address can only be said of the network interface.
  const network =
    associatePublicIpAddress === undefined
      ? { ...placed, SecurityGroupIds: vpcSecurityGroupIds }
      : {
          NetworkInterfaces: [
            {
              DeviceIndex: 0,
              AssociatePublicIpAddress: associatePublicIpAddress,
              DeleteOnTermination: true,
              Groups: vpcSecurityGroupIds,
              ...placed,
            },
          ],
        };
  const userData = inputs.userDataBase64 ?? (inputs.userData && Buffer.from(inputs.userData).toString("base64"));
  return {
    MinCount: 1,
    MaxCount: 1,
    ImageId: inputs.ami,
    InstanceType: inputs.instanceType as RunInstancesCommandInput["InstanceType"],
    KeyName: inputs.keyName,
    UserData: userData,
    ...network,
    ...(inputs.availabilityZone !== undefined && { Placement: { AvailabilityZone: inputs.availabilityZone } }),
    ...(inputs.monitoring !== undefined && { Monitoring: { Enabled: inputs.monitoring } }),
    DisableApiTermination: inputs.disableApiTermination,
    MetadataOptions: metadataOptions && {
      HttpEndpoint: (metadataOptions.httpEndpoint ?? "enabled") as "enabled",
      HttpProtocolIpv6: metadataOptions.httpProtocolIpv6 as "enabled",
      HttpPutResponseHopLimit: metadataOptions.httpPutResponseHopLimit,
      HttpTokens: metadataOptions.httpTokens as "required",
      InstanceMetadataTags: metadataOptions.instanceMetadataTags as "enabled",
    },
    BlockDeviceMappings: await rootDevice(inputs, cloud),
    TagSpecifications: tagSpecifications("instance", inputs.tags),
  };
}

async function rootDevice({ ami = "", rootBlockDevice }: InstanceInputs, cloud: Cloud) {
  if (rootBlockDevice === undefined) return undefined;
  const image = await cloud.images.find(ami);
  if (image === undefined) throw new Error(`There is no image ${ami}.`);
  return [
    {
      DeviceName: image.RootDeviceName,
      Ebs: {
        DeleteOnTermination: rootBlockDevice.deleteOnTermination,
        Encrypted: rootBlockDevice.encrypted,
        Iops: rootBlockDevice.iops,
        KmsKeyId: rootBlockDevice.kmsKeyId,
        Throughput: rootBlockDevice.throughput,
        VolumeSize: rootBlockDevice.volumeSize,
        VolumeType: rootBlockDevice.volumeType as "gp3" | undefined,
      },
    },
  ];
}

/** @throws with AWS's reason when it ends in a state that it does not leave */
export async function waitForState(operation: Operation, id: string, state: InstanceStateName): Promise<void> {
  const { cloud, signal, timeoutSeconds = state === "terminated" ? 1200 : 600 } = operation;
  const what = `${id} to be ${state}`;
  await cloud.instances.waitFor(
    id,
    (found) => {
      const now = found?.State?.Name;
      if (now === state || (found === undefined && state === "terminated")) return true;
      if (now === "terminated") {
        const { Code = "no reason given", Message = "" } = found?.StateReason ?? {};
        throw new Error(`${id} was terminated instead of ${state}: ${Code} ${Message}`.trim());
      }
      return undefined;
    },
    { what, timeoutSeconds, signal },
  );
}
