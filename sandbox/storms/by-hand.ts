import {
  DeleteAutoScalingGroupCommand,
  ResumeProcessesCommand,
  SetDesiredCapacityCommand,
  SuspendProcessesCommand,
} from "@aws-sdk/client-auto-scaling";
import {
  AssociateAddressCommand,
  AttachVolumeCommand,
  CreateVolumeCommand,
  DeleteVolumeCommand,
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  DisassociateAddressCommand,
  ModifyInstanceAttributeCommand,
} from "@aws-sdk/client-ec2";
import {
  CreateRuleCommand,
  DeleteRuleCommand,
  DescribeListenersCommand,
  DescribeRulesCommand,
  ModifyListenerCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { factsOf, type Row, settle } from "../../automation/runbook/rows.ts";
import { isPhase, lastPhase } from "../../stacks/runbook.ts";
import { oldAreThere, untilFoundDead } from "./servers.ts";
import { nothing, type Storm, type Struck } from "./storm.ts";
import type { World } from "./world.ts";

const byHand = { kind: "by hand" } as const;
const old = { ...byHand, inPhase: oldAreThere };

/** Phases in which both generations are registered: whoever gets requests answers them. */
const bothAnswer = (phase: Row) => oldAreThere(phase) && (!isPhase(phase) || factsOf(phase).sessions === "ignored");

async function listenerOf(world: World) {
  const { LoadBalancerArn } = await world.loadBalancer();
  const { Listeners: [listener] = [] } = await world.balancing.send(new DescribeListenersCommand({ LoadBalancerArn }));
  if (listener === undefined) throw new Error("There is no listener.");
  return listener;
}

async function rulesOf(world: World) {
  const { ListenerArn } = await listenerOf(world);
  return (await world.balancing.send(new DescribeRulesCommand({ ListenerArn }))).Rules ?? [];
}

async function holderOf({ world }: Struck, AllocationId: string | undefined): Promise<string | undefined> {
  return (await world.addresses()).find((address) => address.AllocationId === AllocationId)?.InstanceId;
}

export const byHandStorms: readonly Storm[] = [
  {
    ...old,
    name: "rule added",
    async strike({ world, from }) {
      const server = await world.running(from);
      const TargetGroupArn = server && (await world.targetGroupOf(server.id));
      if (TargetGroupArn === undefined) return nothing;
      const { ListenerArn } = await listenerOf(world);
      const { Rules: [rule] = [] } = await world.balancing.send(
        new CreateRuleCommand({
          ...{ ListenerArn, Priority: 10 },
          Conditions: [{ Field: "path-pattern", PathPatternConfig: { Values: ["/api/*"] } }],
          Actions: [{ Type: "forward", TargetGroupArn }],
        }),
      );
      const gone = async () => {
        if ((await rulesOf(world)).some(({ RuleArn }) => RuleArn === rule?.RuleArn))
          await world.balancing.send(new DeleteRuleCommand({ RuleArn: rule?.RuleArn }));
      };
      return { happened: rule !== undefined, mend: gone, after: gone };
    },
  },
  {
    ...byHand,
    name: "test rule deleted",
    // The last update is planned by then: the next run begins with it.
    inPhase: (phase) => phase !== lastPhase && phase !== settle,
    async strike({ world }) {
      const own = (await rulesOf(world)).find(({ IsDefault }) => !IsDefault);
      if (own === undefined) return nothing;
      await world.balancing.send(new DeleteRuleCommand({ RuleArn: own.RuleArn }));
      return { happened: !(await rulesOf(world)).some(({ RuleArn }) => RuleArn === own.RuleArn) };
    },
  },
  {
    ...byHand,
    name: "listener turned",
    inPhase: bothAnswer,
    async strike({ world, from, to, phase }) {
      const server = await world.running(isPhase(phase) ? from : to);
      const TargetGroupArn = server && (await world.targetGroupOf(server.id));
      if (TargetGroupArn === undefined) return nothing;
      const { ListenerArn } = await listenerOf(world);
      const ForwardConfig = { TargetGroups: [{ TargetGroupArn, Weight: 100 }] };
      const DefaultActions = [{ Type: "forward" as const, ForwardConfig }];
      await world.balancing.send(new ModifyListenerCommand({ ListenerArn, DefaultActions }));
      return { happened: true };
    },
  },
  {
    ...old,
    name: "address moved",
    async strike(run) {
      const { world } = run;
      const [address, ...others] = await world.addresses();
      const servers = [...(await world.frontends(run.from)), ...(await world.frontends(run.to))];
      const other = servers.find(({ id, state }) => state === "running" && id !== address?.InstanceId);
      if (address === undefined || other === undefined) return nothing;
      const move = { AllocationId: address.AllocationId, InstanceId: other.id, AllowReassociation: true };
      await world.ec2.send(new AssociateAddressCommand(move));
      const happened = (await holderOf(run, address.AllocationId)) === other.id;
      // A server has one address. Whichever it had, or was just given by the run, may be nobody's then, or this one.
      return { happened, displaced: [address, ...others].map(({ PublicIp = "" }) => PublicIp) };
    },
  },
  {
    ...byHand,
    name: "address taken",
    inPhase: () => true,
    async strike(run) {
      const { world } = run;
      const [address] = await world.addresses();
      if (address?.AssociationId === undefined) return nothing;
      await world.ec2.send(new DisassociateAddressCommand({ AssociationId: address.AssociationId }));
      return { happened: true, displaced: [address.PublicIp ?? ""] };
    },
  },
  {
    ...old,
    name: "volume attached",
    async strike({ world, from }) {
      const server = await world.running(from);
      if (server === undefined) return nothing;
      const { Reservations: [reservation] = [] } = await world.ec2.send(
        new DescribeInstancesCommand({ InstanceIds: [server.id] }),
      );
      const AvailabilityZone = reservation?.Instances?.[0]?.Placement?.AvailabilityZone;
      const { VolumeId = "" } = await world.ec2.send(new CreateVolumeCommand({ AvailabilityZone, Size: 20 }));
      const device = { InstanceId: server.id, Device: "/dev/sdf" };
      await world.ec2.send(new AttachVolumeCommand({ VolumeId, ...device }));
      await world.ec2.send(
        new ModifyInstanceAttributeCommand({
          InstanceId: server.id,
          BlockDeviceMappings: [{ DeviceName: device.Device, Ebs: { DeleteOnTermination: true } }],
        }),
      );
      const after = async () => {
        const { Volumes: [volume] = [] } = await world.ec2.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId] }));
        const [attachment] = volume?.Attachments ?? [];
        if (attachment !== undefined)
          await world.ec2.send(new DetachVolumeCommand({ VolumeId, InstanceId: attachment.InstanceId }));
        await world.ec2.send(new DeleteVolumeCommand({ VolumeId }));
      };
      return { happened: true, stays: [VolumeId], after };
    },
  },
  {
    ...old,
    name: "array scaled",
    async strike({ world, from }) {
      const array = await world.arrayOf(from);
      if (array === undefined) return nothing;
      const { AutoScalingGroupName } = array;
      await world.scaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName, DesiredCapacity: 2 }));
      return { happened: (await world.arrayOf(from))?.DesiredCapacity === 2, arraySize: "any" };
    },
  },
  {
    ...old,
    name: "array suspended",
    async strike({ world, from }) {
      const array = await world.arrayOf(from);
      if (array === undefined) return nothing;
      const { AutoScalingGroupName } = array;
      const processes = { AutoScalingGroupName, ScalingProcesses: ["AZRebalance"] };
      await world.scaling.send(new SuspendProcessesCommand(processes));
      const again = async () => {
        for (const { AutoScalingGroupName: name } of await world.arrays())
          await world.scaling.send(new ResumeProcessesCommand({ ...processes, AutoScalingGroupName: name }));
      };
      const suspended = (await world.arrayOf(from))?.SuspendedProcesses ?? [];
      const happened = suspended.some(({ ProcessName }) => ProcessName === "AZRebalance");
      return { happened, before: again, after: again };
    },
  },
  {
    ...old,
    name: "array deleted",
    async strike({ world, from }) {
      const array = await world.arrayOf(from);
      if (array?.AutoScalingGroupName === undefined) return nothing;
      const { AutoScalingGroupName, Instances = [] } = array;
      await world.scaling.send(new DeleteAutoScalingGroupCommand({ AutoScalingGroupName, ForceDelete: true }));
      const took = [AutoScalingGroupName, ...Instances.map(({ InstanceId = "" }) => InstanceId)];
      // Nobody knows any more how many servers it had.
      const happened = (await world.arrayOf(from)) === undefined;
      return { happened, took, cutSeconds: untilFoundDead, arraySize: "any" };
    },
  },
];
