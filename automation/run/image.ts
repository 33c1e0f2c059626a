import { ConfigError, type GenerationConfig } from "../../stacks/config.ts";
import type { Aws } from "../cloud/aws.ts";

/**
 * The image exists and runs on the instance type. Checked before anything is created.
 * @throws ConfigError (exit 1)
 */
export async function checkImage(
  aws: Aws,
  { name, imageId, instanceType }: GenerationConfig,
  signal: AbortSignal,
): Promise<void> {
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
}
