import { DeregisterTargetsCommand, RegisterTargetsCommand } from "@aws-sdk/client-elastic-load-balancing-v2";
import type * as aws from "@pulumi/aws";
import { unless } from "../errors.ts";
import { number, string } from "../fields.ts";
import { resource } from "../resource.ts";
import { insist } from "../wait.ts";

export const targetGroupAttachment = resource<aws.lb.TargetGroupAttachment, aws.lb.TargetGroupAttachmentArgs>({
  token: "aws:lb/targetGroupAttachment:TargetGroupAttachment",
  fields: {
    availabilityZone: string({ replace: true }),
    port: number({ replace: true }),
    targetGroupArn: string({ required: true, replace: true }),
    targetId: string({ required: true, replace: true }),
  },
  computed: {},

  async create(inputs, { cloud, created, signal }) {
    const command = new RegisterTargetsCommand({
      TargetGroupArn: inputs.targetGroupArn,
      Targets: [{ Id: inputs.targetId, Port: inputs.port, AvailabilityZone: inputs.availabilityZone }],
    });
    // A server that was just started may not be known to the load balancer yet.
    await insist(["InvalidTarget", "InvalidTargetException"], () => cloud.loadBalancing.send(command), {
      timeoutSeconds: 60,
      signal,
    });
    const id = idOf(inputs);
    created(id);
    return id;
  },

  async read({ cloud, state, written }) {
    const { targetGroupArn = "", targetId = "", port, availabilityZone } = state;
    if (written === undefined) {
      const targets = (await cloud.targets.load(targetGroupArn)) ?? [];
      const isRegistered = targets.some(
        ({ Target, TargetHealth }) =>
          Target?.Id === targetId &&
          (port === undefined || Target.Port === port) &&
          TargetHealth?.State !== "draining" &&
          TargetHealth?.Reason !== "Target.NotRegistered",
      );
      if (!isRegistered) return undefined;
    }
    return { targetGroupArn, targetId, port, availabilityZone };
  },

  /** Does not wait for requests in flight: the target is `draining` for the deregistration delay. */
  async delete({ cloud, state }) {
    const { targetGroupArn, targetId, port, availabilityZone } = state;
    const command = new DeregisterTargetsCommand({
      TargetGroupArn: targetGroupArn,
      Targets: [{ Id: targetId, Port: port, AvailabilityZone: availabilityZone }],
    });
    const notFound = ["TargetGroupNotFound", "TargetGroupNotFoundException", "InvalidTarget", "InvalidTargetException"];
    await unless(notFound, cloud.loadBalancing.send(command));
  },

  /** `TARGETGROUPARN,TARGETID` with `,PORT` and `,ZONE` if there are any. */
  async importId(id) {
    const [targetGroupArn = "", targetId = "", portText, availabilityZone] = id.split(",");
    const port = portText ? Number(portText) : undefined;
    const state = { targetGroupArn, targetId, port, availabilityZone };
    return { id: idOf(state), ...state };
  },
});

interface Target {
  readonly targetGroupArn?: string;
  readonly targetId?: string;
  readonly port?: number;
  readonly availabilityZone?: string;
}

function idOf({ targetGroupArn, targetId, port, availabilityZone }: Target): string {
  return [targetGroupArn, targetId, port, availabilityZone].filter((part) => part !== undefined).join(",");
}
