import {
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeInstancesCommand,
  type EC2Client,
  type Instance,
  RunInstancesCommand,
  type RunInstancesCommandInput,
} from "@aws-sdk/client-ec2";
import {
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  type ElasticLoadBalancingV2Client,
  type TargetGroup,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { eventually } from "../support.ts";

export const image = "ami-0a1b2c3d4e5f60001";
export const armImage = "ami-0a1b2c3d4e5f60003";

export interface World {
  readonly vpcId: string;
  /** In two availability zones. */
  readonly subnetIds: readonly [string, string];
  readonly securityGroupId: string;
}

let counter = 0;

/** A VPC of its own for one test. Names are unique in the process. */
export async function network(ec2: EC2Client, region = "us-east-1"): Promise<World> {
  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: "127.64.0.0/20" }));
  const vpcId = Vpc?.VpcId ?? "";
  const subnet = async (cidrBlock: string, zone: string) => {
    const { Subnet } = await ec2.send(
      new CreateSubnetCommand({ VpcId: vpcId, CidrBlock: cidrBlock, AvailabilityZone: `${region}${zone}` }),
    );
    return Subnet?.SubnetId ?? "";
  };
  const subnetIds: [string, string] = [await subnet("127.64.0.0/22", "a"), await subnet("127.64.4.0/22", "b")];
  return { vpcId, subnetIds, securityGroupId: await securityGroup(ec2, vpcId) };
}

export async function securityGroup(ec2: EC2Client, vpcId: string): Promise<string> {
  const { GroupId } = await ec2.send(
    new CreateSecurityGroupCommand({ VpcId: vpcId, GroupName: uniqueName("group"), Description: "For a test" }),
  );
  return GroupId ?? "";
}

export function uniqueName(prefix: string): string {
  counter++;
  return `${prefix}-${counter}`;
}

/** Runs one instance; it is `pending` when this returns. */
export async function launch(ec2: EC2Client, input: Partial<RunInstancesCommandInput> = {}): Promise<Instance> {
  const { Instances } = await ec2.send(
    new RunInstancesCommand({ ImageId: image, InstanceType: "t3.micro", MinCount: 1, MaxCount: 1, ...input }),
  );
  const [instance] = Instances ?? [];
  if (instance === undefined) throw new Error("RunInstances gave no instance");
  return instance;
}

export async function describe(ec2: EC2Client, instanceId: string | undefined): Promise<Instance> {
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId ?? ""] }));
  const instance = Reservations?.[0]?.Instances?.[0];
  if (instance === undefined) throw new Error(`there is no instance ${instanceId}`);
  return instance;
}

export function reaches(ec2: EC2Client, instanceId: string | undefined, state: string): Promise<Instance> {
  return eventually(async () => {
    const instance = await describe(ec2, instanceId);
    return instance.State?.Name === state && instance;
  }, `${instanceId} ${state}`);
}

/** An instance that runs. */
export async function running(ec2: EC2Client, input: Partial<RunInstancesCommandInput> = {}): Promise<Instance> {
  const { InstanceId } = await launch(ec2, input);
  return reaches(ec2, InstanceId, "running");
}

export async function loadBalancer(elb: ElasticLoadBalancingV2Client, world: World): Promise<string> {
  const { LoadBalancers } = await elb.send(
    new CreateLoadBalancerCommand({
      Name: uniqueName("balancer"),
      Subnets: [...world.subnetIds],
      SecurityGroups: [world.securityGroupId],
    }),
  );
  return LoadBalancers?.[0]?.LoadBalancerArn ?? "";
}

export async function targetGroup(elb: ElasticLoadBalancingV2Client, world: World): Promise<TargetGroup> {
  const { TargetGroups } = await elb.send(
    new CreateTargetGroupCommand({ Name: uniqueName("group"), Protocol: "HTTP", Port: 8080, VpcId: world.vpcId }),
  );
  return TargetGroups?.[0] ?? {};
}
