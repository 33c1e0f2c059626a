import {
  type AutoScalingGroup,
  CreateAutoScalingGroupCommand,
  type CreateAutoScalingGroupCommandInput,
  DescribeAutoScalingGroupsCommand,
  ResumeProcessesCommand,
  SetDesiredCapacityCommand,
  SuspendProcessesCommand,
} from "@aws-sdk/client-auto-scaling";
import { CreateLaunchTemplateCommand, CreateLaunchTemplateVersionCommand } from "@aws-sdk/client-ec2";
import {
  DescribeTargetHealthCommand,
  ModifyTargetGroupAttributesCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { eventually, type TestCloud } from "../support.ts";
import { armImage, image, network, targetGroup, uniqueName, type World } from "./world.ts";

/** Auto Scaling groups of a test's cloud, and what they need. */
export class Arrays {
  readonly world: World;
  /** Version 1 is a t3.micro, 2 a t3.large, and 3 has an image that does not fit. */
  readonly template: string;
  readonly #cloud: TestCloud;

  private constructor(cloud: TestCloud, world: World, template: string) {
    this.#cloud = cloud;
    this.world = world;
    this.template = template;
  }

  static async in(cloud: TestCloud): Promise<Arrays> {
    const world = await network(cloud.ec2);
    const data = { ImageId: image, InstanceType: "t3.micro" } as const;
    const { LaunchTemplate } = await cloud.ec2.send(
      new CreateLaunchTemplateCommand({ LaunchTemplateName: uniqueName("template"), LaunchTemplateData: data }),
    );
    const LaunchTemplateId = LaunchTemplate?.LaunchTemplateId ?? "";
    for (const differs of [{ InstanceType: "t3.large" }, { ImageId: armImage }] as const) {
      const LaunchTemplateData = { ...data, ...differs };
      await cloud.ec2.send(new CreateLaunchTemplateVersionCommand({ LaunchTemplateId, LaunchTemplateData }));
    }
    return new Arrays(cloud, world, LaunchTemplateId);
  }

  /** @returns its name */
  async create(
    DesiredCapacity: number,
    TargetGroupARNs: string[] = [],
    Version = "1",
    more: Partial<CreateAutoScalingGroupCommandInput> = {},
  ): Promise<string> {
    const AutoScalingGroupName = uniqueName("array");
    await this.#cloud.autoScaling.send(
      new CreateAutoScalingGroupCommand({
        AutoScalingGroupName,
        MinSize: 0,
        MaxSize: 5,
        DesiredCapacity,
        LaunchTemplate: { LaunchTemplateId: this.template, Version },
        VPCZoneIdentifier: this.world.subnetIds.join(","),
        TargetGroupARNs,
        ...more,
      }),
    );
    return AutoScalingGroupName;
  }

  async find(name: string): Promise<AutoScalingGroup | undefined> {
    const command = new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] });
    return (await this.#cloud.autoScaling.send(command)).AutoScalingGroups?.[0];
  }

  /** Waits for so many servers, all in service. @returns their ids */
  inService(name: string, count: number): Promise<string[]> {
    return eventually(async () => {
      const instances = (await this.find(name))?.Instances ?? [];
      const ready = instances.filter(({ LifecycleState }) => LifecycleState === "InService");
      return instances.length === count && ready.length === count && ready.map(({ InstanceId = "" }) => InstanceId);
    }, `${count} in service`);
  }

  scale(AutoScalingGroupName: string, DesiredCapacity: number): Promise<unknown> {
    return this.#cloud.autoScaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName, DesiredCapacity }));
  }

  suspend(AutoScalingGroupName: string, ...ScalingProcesses: string[]): Promise<unknown> {
    return this.#cloud.autoScaling.send(new SuspendProcessesCommand({ AutoScalingGroupName, ScalingProcesses }));
  }

  resume(AutoScalingGroupName: string, ...ScalingProcesses: string[]): Promise<unknown> {
    return this.#cloud.autoScaling.send(new ResumeProcessesCommand({ AutoScalingGroupName, ScalingProcesses }));
  }

  /** @returns its ARN */
  async targetGroup(delaySeconds = 0): Promise<string> {
    const TargetGroupArn = (await targetGroup(this.#cloud.elb, this.world)).TargetGroupArn ?? "";
    const Attributes = [{ Key: "deregistration_delay.timeout_seconds", Value: String(delaySeconds) }];
    await this.#cloud.elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn, Attributes }));
    return TargetGroupArn;
  }

  /** Ids and states of what a target group has. */
  async registered(TargetGroupArn: string): Promise<(string | undefined)[][]> {
    const command = new DescribeTargetHealthCommand({ TargetGroupArn });
    const { TargetHealthDescriptions = [] } = await this.#cloud.elb.send(command);
    return TargetHealthDescriptions.map(({ Target, TargetHealth }) => [Target?.Id, TargetHealth?.State]);
  }

  async ids(TargetGroupArn: string): Promise<(string | undefined)[]> {
    return (await this.registered(TargetGroupArn)).map(([id]) => id).sort();
  }
}
