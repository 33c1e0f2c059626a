import type { Deployed, Harness } from "./harness.ts";

export interface Network {
  readonly vpc: Deployed;
  readonly subnets: readonly Deployed[];
  readonly group: Deployed;
  readonly other: Deployed;
}

/** A VPC with two subnets and two security groups. */
export async function createNetwork(harness: Harness): Promise<Network> {
  const [a = "127", b = "64", c = "0"] = harness.cloud.slot.cidrBlock.split(/[./]/);
  const block = (third: number, length: number) => `${a}.${b}.${Number(c) + third}.0/${length}`;
  const vpc = await harness.create("aws:ec2/vpc:Vpc", "vpc", { cidrBlock: block(0, 20) });
  const vpcId = vpc.id;
  const subnet = (third: number, availabilityZone: string) =>
    harness.create("aws:ec2/subnet:Subnet", `subnet-${third}`, {
      vpcId,
      cidrBlock: block(third, 24),
      availabilityZone,
    });
  const group = (name: string) => harness.create("aws:ec2/securityGroup:SecurityGroup", name, { vpcId });
  const [first, second, one, other] = await Promise.all([
    subnet(0, "us-east-1a"),
    subnet(1, "us-east-1b"),
    group("one"),
    group("other"),
  ]);
  return { vpc, subnets: [first, second], group: one, other };
}
