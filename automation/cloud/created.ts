import { DescribeTableCommand, type DynamoDBClient, ListTagsOfResourceCommand } from "@aws-sdk/client-dynamodb";
import {
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeInternetGatewaysCommand,
  DescribeLaunchTemplatesCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSnapshotsCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  type EC2Client,
} from "@aws-sdk/client-ec2";
import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeRulesCommand,
  DescribeTargetGroupsCommand,
  type ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { types } from "../../stacks/names.ts";
import { idTag } from "../../stacks/tags.ts";
import type { Arrays } from "./arrays.ts";
import { isNotFound } from "./not-found.ts";
import type { Snapshots } from "./snapshots.ts";

/** Where it is looked for. */
export interface Clients {
  readonly ec2: EC2Client;
  readonly balancing: ElasticLoadBalancingV2Client;
  readonly dynamodb: DynamoDBClient;
  readonly arrays: Arrays;
  readonly snapshots: Snapshots;
}

export type Inputs = Readonly<Record<string, unknown>>;
type Ids = readonly (string | undefined)[] | undefined;
type Find = (inputs: Inputs, clients: Clients, options: { readonly abortSignal?: AbortSignal }) => Promise<Ids>;

/** By the name that it was created with, or by all of its tags where AWS gives it no name; ids as `pulumi import` has them. */
const finders: Readonly<Record<string, Find>> = {
  [types.vpc]: async (inputs, { ec2 }, options) => {
    const { Vpcs } = await ec2.send(new DescribeVpcsCommand({ Filters: tagged(inputs) }), options);
    return Vpcs?.map(({ VpcId }) => VpcId);
  },
  [types.subnet]: async (inputs, { ec2 }, options) => {
    const { Subnets } = await ec2.send(new DescribeSubnetsCommand({ Filters: tagged(inputs) }), options);
    return Subnets?.map(({ SubnetId }) => SubnetId);
  },
  [types.internetGateway]: async (inputs, { ec2 }, options) => {
    const command = new DescribeInternetGatewaysCommand({ Filters: tagged(inputs) });
    return (await ec2.send(command, options)).InternetGateways?.map(({ InternetGatewayId }) => InternetGatewayId);
  },
  [types.routeTable]: async (inputs, { ec2 }, options) => {
    const { RouteTables } = await ec2.send(new DescribeRouteTablesCommand({ Filters: tagged(inputs) }), options);
    return RouteTables?.map(({ RouteTableId }) => RouteTableId);
  },
  [types.route]: async ({ routeTableId, destinationCidrBlock }, { ec2 }, options) => {
    const filters = [
      { Name: "route-table-id", Values: [String(routeTableId)] },
      { Name: "route.destination-cidr-block", Values: [String(destinationCidrBlock)] },
    ];
    const { RouteTables } = await ec2.send(new DescribeRouteTablesCommand({ Filters: filters }), options);
    return RouteTables?.map(({ RouteTableId }) => `${RouteTableId}_${destinationCidrBlock}`);
  },
  [types.securityGroup]: async ({ name, vpcId }, { ec2 }, options) => {
    const filters = [
      { Name: "group-name", Values: [String(name)] },
      { Name: "vpc-id", Values: [String(vpcId)] },
    ];
    const { SecurityGroups } = await ec2.send(new DescribeSecurityGroupsCommand({ Filters: filters }), options);
    return SecurityGroups?.map(({ GroupId }) => GroupId);
  },
  [types.eip]: async (inputs, { ec2 }, options) => {
    const { Addresses } = await ec2.send(new DescribeAddressesCommand({ Filters: tagged(inputs) }), options);
    // One that is in use is somebody's: what was only being created has no server yet.
    return Addresses?.filter(({ AssociationId }) => AssociationId === undefined).map(
      ({ AllocationId }) => AllocationId,
    );
  },
  [types.instance]: async (inputs, { ec2 }, options) => {
    const states = { Name: "instance-state-name", Values: ["pending", "running", "stopping", "stopped"] };
    const command = new DescribeInstancesCommand({ Filters: [...tagged(inputs), states] });
    const { Reservations } = await ec2.send(command, options);
    return Reservations?.flatMap(({ Instances = [] }) => Instances.map(({ InstanceId }) => InstanceId));
  },
  [types.launchTemplate]: async ({ name }, { ec2 }, options) => {
    const filters = [{ Name: "launch-template-name", Values: [String(name)] }];
    const { LaunchTemplates } = await ec2.send(new DescribeLaunchTemplatesCommand({ Filters: filters }), options);
    return LaunchTemplates?.map(({ LaunchTemplateId }) => LaunchTemplateId);
  },
  [types.ebsSnapshot]: async (inputs, { ec2 }, options) => {
    const { Snapshots } = await ec2.send(new DescribeSnapshotsCommand({ Filters: tagged(inputs) }), options);
    return Snapshots?.map(({ SnapshotId }) => SnapshotId);
  },
  [types.rdsSnapshot]: async ({ dbSnapshotIdentifier }, { snapshots }, { abortSignal }) => {
    const id = String(dbSnapshotIdentifier);
    return (await snapshots.find({ kind: "rds", id }, abortSignal)) && [id];
  },
  [types.autoScalingGroup]: async ({ name }, { arrays }, { abortSignal }) =>
    (await arrays.find(String(name), abortSignal)) && [String(name)],
  [types.loadBalancer]: async ({ name }, { balancing }, options) => {
    const command = new DescribeLoadBalancersCommand({ Names: [String(name)] });
    return (await balancing.send(command, options)).LoadBalancers?.map(({ LoadBalancerArn }) => LoadBalancerArn);
  },
  [types.targetGroup]: async ({ name }, { balancing }, options) => {
    const { TargetGroups } = await balancing.send(new DescribeTargetGroupsCommand({ Names: [String(name)] }), options);
    return TargetGroups?.map(({ TargetGroupArn }) => TargetGroupArn);
  },
  [types.listener]: async ({ loadBalancerArn, port }, { balancing }, options) => {
    const command = new DescribeListenersCommand({ LoadBalancerArn: String(loadBalancerArn) });
    const { Listeners } = await balancing.send(command, options);
    return Listeners?.filter(({ Port }) => Port === port).map(({ ListenerArn }) => ListenerArn);
  },
  [types.listenerRule]: async ({ listenerArn, priority }, { balancing }, options) => {
    const { Rules } = await balancing.send(new DescribeRulesCommand({ ListenerArn: String(listenerArn) }), options);
    return Rules?.filter(({ Priority }) => Priority === String(priority)).map(({ RuleArn }) => RuleArn);
  },
  [types.table]: async ({ name, tags }, { dynamodb }, options) => {
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: String(name) }), options);
    const id = (tags as Record<string, string> | undefined)?.[idTag];
    if (id === undefined) return [Table?.TableName];
    // Its name is every site's of that name.
    const command = new ListTagsOfResourceCommand({ ResourceArn: Table?.TableArn });
    const { Tags = [] } = await dynamodb.send(command, options);
    return Tags.some(({ Key, Value }) => Key === idTag && Value === id) ? [Table?.TableName] : [];
  },
};

/** Ids of what may have been created with these inputs; undefined for what can be created twice without harm. */
export async function findCreated(
  type: string,
  inputs: Inputs,
  clients: Clients,
  abortSignal?: AbortSignal,
): Promise<readonly string[] | undefined> {
  const find = finders[type];
  if (find === undefined) return undefined;
  try {
    const ids = (await find(inputs, clients, { abortSignal })) ?? [];
    return ids.filter((id) => id !== undefined);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

/** Filters for all of these tags. Without one AWS would tell of everything that there is, whoever owns it. */
function tagged({ tags }: Inputs) {
  const entries = Object.entries((tags ?? {}) as Record<string, string>);
  if (entries.length === 0) throw new Error("A resource without tags cannot be told from others in the account.");
  return entries.map(([key, value]) => ({ Name: `tag:${key}`, Values: [value] }));
}
