import {
  type EC2Client,
  type Instance,
  ModifyInstanceAttributeCommand,
  paginateDescribeInstances,
} from "@aws-sdk/client-ec2";

import { absentSeconds, foundInTime } from "./absence.ts";

/** A volume beside a server's root. */
export interface DataVolume {
  readonly volumeId: string;
  readonly device: string;
  readonly instanceId: string;
  /** Whether AWS deletes it when the server is terminated. */
  readonly endsWithServer: boolean;
}

/** A filter takes 200 values. */
const atOnce = 200;

/** The volumes of servers. */
export class Volumes {
  readonly #ec2: EC2Client;

  constructor(ec2: EC2Client) {
    this.#ec2 = ec2;
  }

  /** Those beside the root; of servers that are gone there are none. One that is not shown may be new: AWS is asked again. */
  async beside(instanceIds: readonly string[], abortSignal?: AbortSignal): Promise<DataVolume[]> {
    let found: readonly Instance[] = [];
    const all = async () => {
      found = await this.#instances(instanceIds, abortSignal);
      return found.length < instanceIds.length ? undefined : found;
    };
    await foundInTime(all, absentSeconds, abortSignal);
    return found.flatMap(besideRoot);
  }

  async #instances(instanceIds: readonly string[], abortSignal?: AbortSignal): Promise<Instance[]> {
    const found: Instance[] = [];
    for (let from = 0; from < instanceIds.length; from += atOnce) {
      const Filters = [{ Name: "instance-id", Values: instanceIds.slice(from, from + atOnce) }];
      const pages = paginateDescribeInstances({ client: this.#ec2 }, { Filters }, { abortSignal });
      for await (const { Reservations = [] } of pages)
        found.push(...Reservations.flatMap(({ Instances = [] }) => Instances));
    }
    return found;
  }

  /**
   * Lets a volume stay when its server ends. Apart from this the driver changes no volume.
   * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configure-root-volume-delete-on-termination.html
   */
  async keep({ instanceId, device }: DataVolume, abortSignal?: AbortSignal): Promise<void> {
    const BlockDeviceMappings = [{ DeviceName: device, Ebs: { DeleteOnTermination: false } }];
    const command = new ModifyInstanceAttributeCommand({ InstanceId: instanceId, BlockDeviceMappings });
    await this.#ec2.send(command, { abortSignal });
  }
}

function besideRoot({ InstanceId = "", RootDeviceName, BlockDeviceMappings = [] }: Instance): DataVolume[] {
  return BlockDeviceMappings.flatMap(({ DeviceName = "", Ebs }) => {
    if (DeviceName === RootDeviceName || Ebs?.VolumeId === undefined) return [];
    const { VolumeId, DeleteOnTermination = true } = Ebs;
    return [{ volumeId: VolumeId, device: DeviceName, instanceId: InstanceId, endsWithServer: DeleteOnTermination }];
  });
}
