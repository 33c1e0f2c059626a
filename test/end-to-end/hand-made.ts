import assert from "node:assert/strict";
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  CreateSecurityGroupCommand,
  EC2Client,
  RunInstancesCommand,
  waitUntilInstanceRunning,
} from "@aws-sdk/client-ec2";
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  ModifyTargetGroupAttributesCommand,
  RegisterTargetsCommand,
  waitUntilLoadBalancerAvailable,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { get } from "../../sandbox/sandbox.ts";
import { slot } from "../../sandbox/slot.ts";
import { eventually } from "../sandbox/support.ts";
import { removeStackFile, startSandbox } from "./command-line.ts";
import { makeNetwork } from "./networks.ts";
import { Site } from "./site.ts";

/** A sandbox in which nothing is deployed. */
export async function emptySandbox(name: string): Promise<Site> {
  const { exitCode, stdout, stderr } = await startSandbox({ name });
  assert.equal(exitCode, 0, stdout + stderr);
  removeStackFile(name);
  return Site.of(name);
}

/** Size of the volume that each server has beside its root. */
export const dataGib = 200;

/**
 * A site as people make it by hand, by plain AWS calls: three servers behind a load balancer, the last two of which hold
 * Elastic IPs, with data volumes, names, tags and user data of its own.
 */
export async function makeByHand({ name, settings }: Site): Promise<{ readonly instanceIds: readonly string[] }> {
  const ec2 = new EC2Client(settings);
  const balancing = new ElasticLoadBalancingV2Client(settings);
  try {
    const ways = ["internet gateway", "internet gateway"] as const;
    const network = await makeNetwork(ec2, slot(get(name).slot).cidrBlock, ways, { mapPublicIps: true });
    const { vpcId, subnetIds } = network;
    const securityGroups = {
      balancer: await securityGroup(ec2, vpcId, "alb"),
      servers: await securityGroup(ec2, vpcId, "www"),
    };
    const instanceIds: string[] = [];
    for (const [index, subnetId] of [...subnetIds, subnetIds[0]].entries())
      instanceIds.push(await launch(ec2, `www-${index + 1}`, subnetId, securityGroups.servers));
    await waitUntilInstanceRunning({ client: ec2, minDelay: 1, maxWaitTime: 60 }, { InstanceIds: instanceIds });
    for (const InstanceId of instanceIds.slice(1)) {
      const { AllocationId } = await ec2.send(new AllocateAddressCommand({ Domain: "vpc" }));
      await ec2.send(new AssociateAddressCommand({ AllocationId, InstanceId }));
    }
    await makeBalancer(balancing, { vpcId, subnetIds, securityGroup: securityGroups.balancer, instanceIds });
    return { instanceIds };
  } finally {
    ec2.destroy();
    balancing.destroy();
  }
}

async function securityGroup(ec2: EC2Client, VpcId: string, GroupName: string): Promise<string> {
  const command = new CreateSecurityGroupCommand({ VpcId, GroupName, Description: "made by hand" });
  return (await ec2.send(command)).GroupId ?? "";
}

async function launch(ec2: EC2Client, name: string, SubnetId = "", securityGroup: string): Promise<string> {
  const command = new RunInstancesCommand({
    ImageId: "ami-0a1b2c3d4e5f60001",
    InstanceType: "t3.small",
    MinCount: 1,
    MaxCount: 1,
    SubnetId,
    SecurityGroupIds: [securityGroup],
    // As the console makes one by default: it ends with its server.
    BlockDeviceMappings: [
      { DeviceName: "/dev/sdf", Ebs: { VolumeSize: dataGib, VolumeType: "gp3", DeleteOnTermination: true } },
    ],
    UserData: Buffer.from("#!/bin/sh\nsystemctl enable --now www\n").toString("base64"),
    Monitoring: { Enabled: true },
    MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 2 },
    CreditSpecification: { CpuCredits: "standard" },
    TagSpecifications: [
      {
        ResourceType: "instance",
        Tags: [
          { Key: "Name", Value: name },
          { Key: "team", Value: "web" },
        ],
      },
    ],
  });
  return (await ec2.send(command)).Instances?.[0]?.InstanceId ?? "";
}

async function makeBalancer(
  client: ElasticLoadBalancingV2Client,
  site: { vpcId: string; subnetIds: readonly string[]; securityGroup: string; instanceIds: readonly string[] },
): Promise<void> {
  const { TargetGroups } = await client.send(
    new CreateTargetGroupCommand({
      Name: "www-servers",
      Protocol: "HTTP",
      Port: 8080,
      VpcId: site.vpcId,
      HealthCheckPath: "/health",
      HealthCheckIntervalSeconds: 5,
      HealthCheckTimeoutSeconds: 2,
      HealthyThresholdCount: 2,
      UnhealthyThresholdCount: 2,
      Matcher: { HttpCode: "200-299" },
    }),
  );
  const TargetGroupArn = TargetGroups?.[0]?.TargetGroupArn ?? "";
  const Attributes = [{ Key: "deregistration_delay.timeout_seconds", Value: "2" }];
  await client.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn, Attributes }));
  const Targets = site.instanceIds.map((Id) => ({ Id }));
  await client.send(new RegisterTargetsCommand({ TargetGroupArn, Targets }));
  const { LoadBalancers } = await client.send(
    new CreateLoadBalancerCommand({
      Name: "www-alb",
      Subnets: [...site.subnetIds],
      SecurityGroups: [site.securityGroup],
      Tags: [{ Key: "team", Value: "web" }],
    }),
  );
  const LoadBalancerArn = LoadBalancers?.[0]?.LoadBalancerArn ?? "";
  await waitUntilLoadBalancerAvailable(
    { client, minDelay: 1, maxWaitTime: 60 },
    { LoadBalancerArns: [LoadBalancerArn] },
  );
  await client.send(
    new CreateListenerCommand({
      LoadBalancerArn,
      Port: 8000,
      Protocol: "HTTP",
      DefaultActions: [{ Type: "forward", TargetGroupArn }],
    }),
  );
  await eventually(
    async () => {
      const { TargetHealthDescriptions = [] } = await client.send(new DescribeTargetHealthCommand({ TargetGroupArn }));
      const healthy = TargetHealthDescriptions.filter(({ TargetHealth }) => TargetHealth?.State === "healthy");
      return healthy.length === site.instanceIds.length;
    },
    "every server is healthy",
    60,
  );
}
