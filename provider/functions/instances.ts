import { DescribeInstancesCommand, type Instance, paginateDescribeInstances } from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import { map, set, string } from "../fields.ts";
import { filters } from "./availability-zones.ts";
import { providerFunction } from "./function.ts";

/** An instance, as far as the program asks. */
type InstanceResult = Pick<aws.ec2.GetInstanceResult, "id" | "ebsBlockDevices">;

export const getInstance = providerFunction<aws.ec2.GetInstanceArgs, InstanceResult>({
  fields: { instanceId: string({ required: true }) },

  async invoke({ instanceId = "" }, { ec2 }) {
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
    const found = Reservations.flatMap(({ Instances = [] }) => Instances)[0];
    if (found === undefined) throw new Error("Your query returned no results. Please change your search criteria.");
    return { id: instanceId, ebsBlockDevices: besideRoot(found) };
  },
});

function besideRoot({ RootDeviceName, BlockDeviceMappings = [] }: Instance): InstanceResult["ebsBlockDevices"] {
  return BlockDeviceMappings.filter(({ DeviceName }) => DeviceName !== RootDeviceName).map(
    ({ DeviceName = "", Ebs }) => ({
      ...{
        deviceName: DeviceName,
        volumeId: Ebs?.VolumeId ?? "",
        deleteOnTermination: Ebs?.DeleteOnTermination ?? true,
      },
      ...{
        encrypted: false,
        iops: 0,
        kmsKeyId: "",
        snapshotId: "",
        tags: {},
        throughput: 0,
        volumeSize: 0,
        volumeType: "",
      },
    }),
  );
}

export const getInstances = providerFunction<aws.ec2.GetInstancesArgs, aws.ec2.GetInstancesResult>({
  fields: { filters, instanceStateNames: set(string()), instanceTags: map() },

  async invoke({ filters: own = [], instanceStateNames: states = ["running"], instanceTags = {} }, { ec2, region }) {
    const Filters = [
      ...own.map(({ name, values }) => ({ Name: name, Values: values })),
      ...Object.entries(instanceTags).map(([key, value]) => ({ Name: `tag:${key}`, Values: [value] })),
      { Name: "instance-state-name", Values: states },
    ];
    const found: Instance[] = [];
    for await (const { Reservations = [] } of paginateDescribeInstances({ client: ec2 }, { Filters }))
      found.push(...Reservations.flatMap(({ Instances = [] }) => Instances));
    return {
      id: region,
      ids: found.map(({ InstanceId = "" }) => InstanceId),
      instanceTags,
      ipv6Addresses: found.flatMap(({ Ipv6Address = [] }) => Ipv6Address),
      privateIps: found.flatMap(({ PrivateIpAddress = [] }) => PrivateIpAddress),
      publicIps: found.flatMap(({ PublicIpAddress = [] }) => PublicIpAddress),
    };
  },
});
