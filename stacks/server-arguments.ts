import type { GenerationConfig } from "./config.ts";

/**
 * What servers are launched with beside user data and place: an instance and a launch template say the same in other words.
 * A change of any of it is a new generation.
 */
export const fixedFields = [
  "imageId",
  "instanceType",
  "iamInstanceProfile",
  "keyName",
  "rootBlockDevice",
  "metadataHopLimit",
  "monitoring",
  "cpuCredits",
  "tenancy",
  "placementGroup",
] as const satisfies readonly (keyof GenerationConfig)[];

/** What servers have where the file does not say it. */
export const usualServers = { metadataHopLimit: 1, monitoring: false, tenancy: "default" } as const;

export type ServerConfig = Pick<GenerationConfig, (typeof fixedFields)[number]>;

export function fixedOf(generation: GenerationConfig): ServerConfig {
  return Object.fromEntries(fixedFields.map((key) => [key, generation[key]])) as unknown as ServerConfig;
}

/** Those of an instance. What is left out is as EC2 has it. */
export function instanceArguments(server: ServerConfig) {
  const { imageId, instanceType, iamInstanceProfile, keyName, rootBlockDevice } = server;
  const { monitoring, cpuCredits, tenancy, placementGroup } = server;
  return {
    ami: imageId,
    instanceType,
    iamInstanceProfile,
    keyName,
    metadataOptions: metadataOptions(server),
    rootBlockDevice: { encrypted: true, ...rootBlockDevice },
    ...(monitoring !== undefined && { monitoring }),
    ...(cpuCredits !== undefined && { creditSpecification: { cpuCredits } }),
    ...(tenancy !== undefined && { tenancy }),
    ...(placementGroup !== undefined && { placementGroup }),
  };
}

/** Those of a launch template. */
export function templateArguments(server: ServerConfig, rootDeviceName: string) {
  const { imageId, instanceType, iamInstanceProfile, keyName, rootBlockDevice } = server;
  const { monitoring, cpuCredits, tenancy, placementGroup } = server;
  return {
    imageId,
    instanceType,
    ...(iamInstanceProfile !== undefined && { iamInstanceProfile: { name: iamInstanceProfile } }),
    keyName,
    metadataOptions: metadataOptions(server),
    blockDeviceMappings: [{ deviceName: rootDeviceName, ebs: { encrypted: "true", ...rootBlockDevice } }],
    ...(monitoring !== undefined && { monitoring: { enabled: monitoring } }),
    ...(cpuCredits !== undefined && { creditSpecification: { cpuCredits } }),
    ...((tenancy ?? placementGroup) !== undefined && { placement: { tenancy, groupName: placementGroup } }),
  };
}

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-IMDS-new-instances.html */
function metadataOptions({ metadataHopLimit = usualServers.metadataHopLimit }: ServerConfig) {
  return { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: metadataHopLimit };
}
