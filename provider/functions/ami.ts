import { DescribeImagesCommand, type Image } from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { boolean, set, string } from "../fields.ts";
import { tagMap } from "../tags.ts";
import { filters } from "./availability-zones.ts";
import { providerFunction } from "./function.ts";

export const getAmi = providerFunction<aws.ec2.GetAmiArgs, aws.ec2.GetAmiResult>({
  fields: {
    allowUnsafeFilter: boolean(),
    executableUsers: set(string()),
    filters,
    includeDeprecated: boolean(),
    mostRecent: boolean(),
    nameRegex: string(),
    owners: set(string()),
  },

  async invoke(args, cloud) {
    const command = new DescribeImagesCommand({
      ExecutableUsers: args.executableUsers,
      Filters: (args.filters ?? []).map(({ name, values }) => ({ Name: name, Values: values })),
      IncludeDeprecated: args.includeDeprecated,
      Owners: args.owners,
    });
    const { Images = [] } = await cloud.ec2.send(command);
    const pattern = args.nameRegex === undefined ? undefined : new RegExp(args.nameRegex);
    const found = Images.filter(({ Name = "" }) => pattern?.test(Name) ?? true);
    const [newest, another] = found.sort((a, b) => ((a.CreationDate ?? "") > (b.CreationDate ?? "") ? -1 : 1));
    if (newest === undefined) {
      throw new Error("Your query returned no results. Please change your search criteria and try again.");
    }
    if (another !== undefined && !args.mostRecent) {
      throw new Error(
        "Your query returned more than one result. Please try a more specific search criteria, or set `mostRecent` to true.",
      );
    }
    return describe(newest, cloud);
  },
});

function describe(image: Image, cloud: Cloud) {
  const id = image.ImageId ?? "";
  const devices = image.BlockDeviceMappings ?? [];
  return {
    architecture: image.Architecture ?? "",
    arn: `arn:aws:ec2:${cloud.region}::image/${id}`,
    blockDeviceMappings: devices.map(({ DeviceName = "", Ebs, NoDevice = "", VirtualName = "" }) => ({
      deviceName: DeviceName,
      ebs: text({
        delete_on_termination: Ebs?.DeleteOnTermination ?? false,
        encrypted: Ebs?.Encrypted ?? false,
        iops: Ebs?.Iops ?? 0,
        snapshot_id: Ebs?.SnapshotId ?? "",
        throughput: Ebs?.Throughput ?? 0,
        volume_size: Ebs?.VolumeSize ?? 0,
        volume_type: Ebs?.VolumeType ?? "",
      }),
      noDevice: NoDevice,
      virtualName: VirtualName,
    })),
    bootMode: image.BootMode ?? "",
    creationDate: image.CreationDate ?? "",
    deprecationTime: image.DeprecationTime ?? "",
    description: image.Description ?? "",
    enaSupport: image.EnaSupport ?? false,
    hypervisor: image.Hypervisor ?? "",
    id,
    imageId: id,
    imageLocation: image.ImageLocation ?? "",
    imageOwnerAlias: image.ImageOwnerAlias ?? "",
    imageType: image.ImageType ?? "",
    imdsSupport: image.ImdsSupport ?? "",
    kernelId: image.KernelId ?? "",
    lastLaunchedTime: image.LastLaunchedTime ?? "",
    name: image.Name ?? "",
    ownerId: image.OwnerId ?? "",
    platform: image.Platform ?? "",
    platformDetails: image.PlatformDetails ?? "",
    productCodes: (image.ProductCodes ?? []).map(({ ProductCodeId = "", ProductCodeType = "" }) => ({
      productCodeId: ProductCodeId,
      productCodeType: ProductCodeType,
    })),
    public: image.Public ?? false,
    ramdiskId: image.RamdiskId ?? "",
    rootDeviceName: image.RootDeviceName ?? "",
    rootDeviceType: image.RootDeviceType ?? "",
    rootSnapshotId: devices.find(({ DeviceName }) => DeviceName === image.RootDeviceName)?.Ebs?.SnapshotId ?? "",
    sriovNetSupport: image.SriovNetSupport ?? "",
    state: image.State ?? "",
    stateReason: { code: image.StateReason?.Code ?? "UNSET", message: image.StateReason?.Message ?? "UNSET" },
    tags: tagMap(image.Tags) ?? {},
    tpmSupport: image.TpmSupport ?? "",
    usageOperation: image.UsageOperation ?? "",
    virtualizationType: image.VirtualizationType ?? "",
  };
}

function text(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
}
