import type { Image } from "@aws-sdk/client-ec2";
import { rootVolumeProblems } from "../../stacks/config/root-volume-schema.ts";
import { ConfigError, type GenerationConfig } from "../../stacks/config.ts";
import type { Aws } from "../cloud/aws.ts";

/**
 * The image exists, runs on the instance type, and fits on the root volume. Checked before anything is created.
 * @throws ConfigError (exit 1)
 */
export async function checkImage(aws: Aws, generation: GenerationConfig, signal: AbortSignal): Promise<void> {
  const { name, imageId, instanceType } = generation;
  const [image, architectures] = await Promise.all([
    aws.image(imageId, signal),
    aws.architecturesOf(instanceType, signal),
  ]);
  const key = `handover:generations.${name}`;
  if (image === undefined) {
    throw new ConfigError([
      `${key}.imageId: ${imageId} does not exist in this region or is not shared with this account; list yours with: aws ec2 describe-images --owners self`,
    ]);
  }
  if (architectures === undefined) {
    throw new ConfigError([
      `${key}.instanceType: ${instanceType} does not exist in this region; list them with: aws ec2 describe-instance-type-offerings`,
    ]);
  }
  const architecture = image.Architecture ?? "unknown";
  if (!architectures.includes(architecture)) {
    throw new ConfigError([
      `${key}: image ${imageId} is built for ${architecture}, and ${instanceType} runs ${architectures.join(", ")}; choose an image or an instance type that fits`,
    ]);
  }
  const problems = rootProblems(generation, image);
  if (problems.length > 0) throw new ConfigError(problems.map((problem) => `${key}.rootBlockDevice.${problem}`));
}

/** A root volume holds the image's snapshot, and has its size where none is given. */
function rootProblems({ imageId, rootBlockDevice }: GenerationConfig, image: Image): string[] {
  const { RootDeviceName, BlockDeviceMappings = [] } = image;
  const least = BlockDeviceMappings.find(({ DeviceName }) => DeviceName === RootDeviceName)?.Ebs?.VolumeSize;
  if (rootBlockDevice === undefined || least === undefined) return [];
  const { volumeSize = least } = rootBlockDevice;
  if (volumeSize < least)
    return [`volumeSize: ${volumeSize} is smaller than the root volume of ${imageId}; write ${least} or more`];
  return [...rootVolumeProblems({ ...rootBlockDevice, volumeSize } as never)].map(([field, why]) => `${field}: ${why}`);
}
