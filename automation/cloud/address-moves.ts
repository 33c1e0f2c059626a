import { AssociateAddressCommand, DescribeInstancesCommand, DescribeVpcsCommand, EC2Client } from "@aws-sdk/client-ec2";
import type { Access } from "./access.ts";
import { clientSettings } from "./client-settings.ts";

/** The call by which an Elastic IP moves, and what is to be known before. */
export class AddressMoves {
  readonly #ec2: EC2Client;

  constructor(access: Access) {
    this.#ec2 = new EC2Client(clientSettings(access, "ec2"));
  }

  /** Moves an address to another server. Where it is there already, nothing is changed. */
  async move(AllocationId: string, InstanceId: string, abortSignal?: AbortSignal): Promise<void> {
    const command = new AssociateAddressCommand({ AllocationId, InstanceId, AllowReassociation: true });
    await this.#ec2.send(command, { abortSignal });
  }

  /** The IPv4 CIDR blocks of the VPC in which a server is. */
  async blocksAround(instanceId: string, abortSignal?: AbortSignal): Promise<string[]> {
    const { Reservations = [] } = await this.#ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }), {
      abortSignal,
    });
    const VpcId = Reservations[0]?.Instances?.[0]?.VpcId;
    if (VpcId === undefined) throw new Error(`AWS does not say in which VPC ${instanceId} is`);
    const { Vpcs = [] } = await this.#ec2.send(new DescribeVpcsCommand({ VpcIds: [VpcId] }), { abortSignal });
    const blocks = Vpcs.flatMap(({ CidrBlock, CidrBlockAssociationSet = [] }) => [
      CidrBlock,
      ...CidrBlockAssociationSet.map((each) => each.CidrBlock),
    ]).filter((block) => block !== undefined);
    if (blocks.length === 0) throw new Error(`AWS does not say which CIDR blocks ${VpcId} has`);
    return [...new Set(blocks)];
  }

  close(): void {
    this.#ec2.destroy();
  }
}
