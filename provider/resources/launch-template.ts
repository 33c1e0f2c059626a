import {
  CreateLaunchTemplateCommand,
  CreateLaunchTemplateVersionCommand,
  DeleteLaunchTemplateCommand,
  DescribeLaunchTemplatesCommand,
  DescribeLaunchTemplateVersionsCommand,
  ModifyLaunchTemplateCommand,
} from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { unless } from "../errors.ts";
import { boolean, list, map, number, object, set, string } from "../fields.ts";
import { prefixOf } from "../names.ts";
import { resource } from "../resource.ts";
import { tagMap, tagSpecifications, updateTags } from "../tags.ts";
import { describeTemplate, templateData, versionFields } from "./launch-template-data.ts";

const notFound = ["InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateName.NotFoundException"];
const computed = { computed: true };

export const launchTemplate = resource<aws.ec2.LaunchTemplate, aws.ec2.LaunchTemplateArgs>({
  token: "aws:ec2/launchTemplate:LaunchTemplate",
  fields: {
    blockDeviceMappings: list(
      object<aws.types.input.ec2.LaunchTemplateBlockDeviceMapping>({
        deviceName: string(),
        ebs: object<aws.types.input.ec2.LaunchTemplateBlockDeviceMappingEbs>({
          deleteOnTermination: string(),
          encrypted: string(),
          iops: number(computed),
          kmsKeyId: string(),
          snapshotId: string(),
          throughput: number(computed),
          volumeSize: number(computed),
          volumeType: string(computed),
        }),
      }),
    ),
    cpuOptions: object<aws.types.input.ec2.LaunchTemplateCpuOptions>({
      amdSevSnp: string(),
      coreCount: number(),
      threadsPerCore: number(),
    }),
    creditSpecification: object({ cpuCredits: string() }),
    defaultVersion: number(computed),
    description: string(),
    disableApiStop: boolean({ default: false }),
    disableApiTermination: boolean({ default: false }),
    ebsOptimized: string(),
    iamInstanceProfile: object({ arn: string(), name: string() }),
    imageId: string(),
    instanceInitiatedShutdownBehavior: string(),
    instanceType: string(),
    keyName: string(),
    maintenanceOptions: object({ autoRecovery: string() }),
    metadataOptions: object<aws.types.input.ec2.LaunchTemplateMetadataOptions>(
      {
        httpEndpoint: string(computed),
        httpProtocolIpv6: string(computed),
        httpPutResponseHopLimit: number(computed),
        httpTokens: string(computed),
        instanceMetadataTags: string(computed),
      },
      computed,
    ),
    monitoring: object({ enabled: boolean() }),
    name: string({ computed: true, replace: true }),
    namePrefix: string({ computed: true, replace: true }),
    networkInterfaces: list(
      object<aws.types.input.ec2.LaunchTemplateNetworkInterface>({
        associatePublicIpAddress: string(),
        deleteOnTermination: string(),
        description: string(),
        deviceIndex: number({ default: 0 }),
        networkInterfaceId: string(),
        privateIpAddress: string(),
        securityGroups: set(string()),
        subnetId: string(),
      }),
    ),
    placement: object<aws.types.input.ec2.LaunchTemplatePlacement>({
      availabilityZone: string(),
      groupName: string(),
      tenancy: string(),
    }),
    tagSpecifications: list(object({ resourceType: string(), tags: map() })),
    tags: map(),
    updateDefaultVersion: boolean({ writeOnly: true }),
    userData: string(),
    vpcSecurityGroupIds: set(string()),
  },
  computed: { arn: true, defaultVersion: "onUpdate", latestVersion: "onUpdate" },
  autoname: { property: "name", maxLength: 125 },

  async create(inputs, { cloud, created }) {
    const { LaunchTemplate } = await cloud.ec2.send(
      new CreateLaunchTemplateCommand({
        LaunchTemplateName: inputs.name,
        VersionDescription: inputs.description,
        LaunchTemplateData: templateData(inputs),
        TagSpecifications: tagSpecifications("launch-template", inputs.tags),
      }),
    );
    const id = LaunchTemplate?.LaunchTemplateId ?? "";
    created(id);
    return id;
  },

  async read({ id, cloud }) {
    const found = await find(cloud, id);
    if (found === undefined) return undefined;
    const latestVersion = found.LatestVersionNumber ?? 1;
    const command = new DescribeLaunchTemplateVersionsCommand({
      LaunchTemplateId: id,
      Versions: [String(latestVersion)],
    });
    const version = (await cloud.ec2.send(command)).LaunchTemplateVersions?.[0];
    return {
      ...describeTemplate(version?.LaunchTemplateData ?? {}),
      arn: `arn:aws:ec2:${cloud.region}:${await cloud.account()}:launch-template/${id}`,
      defaultVersion: found.DefaultVersionNumber ?? 1,
      description: version?.VersionDescription,
      latestVersion,
      name: found.LaunchTemplateName ?? "",
      namePrefix: prefixOf(found.LaunchTemplateName),
      tags: tagMap(found.Tags),
    };
  },

  isSettled: ({ defaultVersion, latestVersion }, { updateDefaultVersion }) =>
    !updateDefaultVersion || defaultVersion === latestVersion,

  /** A version cannot be changed: there is a new one for each change. */
  async update({ cloud, id, olds, news, changed }) {
    const LaunchTemplateId = id;
    let latest: number | undefined;
    if (changed(...versionFields)) {
      const command = new CreateLaunchTemplateVersionCommand({
        LaunchTemplateId,
        VersionDescription: news.description,
        LaunchTemplateData: templateData(news),
      });
      latest = (await cloud.ec2.send(command)).LaunchTemplateVersion?.VersionNumber;
    }
    const wanted = news.updateDefaultVersion
      ? (latest ?? (await find(cloud, id))?.LatestVersionNumber)
      : changed("defaultVersion") && news.defaultVersion;
    if (
      wanted &&
      ((news.updateDefaultVersion && latest !== undefined) || changed("updateDefaultVersion", "defaultVersion"))
    ) {
      await cloud.ec2.send(new ModifyLaunchTemplateCommand({ LaunchTemplateId, DefaultVersion: String(wanted) }));
    }
    await updateTags(cloud, id, olds.tags, news.tags);
  },

  async delete({ id, cloud }) {
    await unless(notFound, cloud.ec2.send(new DeleteLaunchTemplateCommand({ LaunchTemplateId: id })));
  },
});

async function find(cloud: Cloud, id: string) {
  const call = cloud.ec2.send(new DescribeLaunchTemplatesCommand({ LaunchTemplateIds: [id] }));
  return (await unless(notFound, call))?.LaunchTemplates?.[0];
}
