import {
  DeleteScheduledActionCommand,
  DescribeScheduledActionsCommand,
  PutScheduledUpdateGroupActionCommand,
} from "@aws-sdk/client-auto-scaling";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { unless } from "../errors.ts";
import { number, string } from "../fields.ts";
import { type InputsOf, resource } from "../resource.ts";

type Inputs = InputsOf<aws.autoscaling.ScheduleArgs>;
const computed = { computed: true };
const sameTime = (old: unknown, now: unknown) => Date.parse(String(old)) === Date.parse(String(now));

export const autoscalingSchedule = resource<aws.autoscaling.Schedule, aws.autoscaling.ScheduleArgs>({
  token: "aws:autoscaling/schedule:Schedule",
  fields: {
    autoscalingGroupName: string({ required: true, replace: true }),
    desiredCapacity: number(computed),
    endTime: string({ computed: true, same: sameTime }),
    maxSize: number(computed),
    minSize: number(computed),
    recurrence: string(computed),
    scheduledActionName: string({ required: true, replace: true }),
    startTime: string({ computed: true, same: sameTime }),
    timeZone: string(computed),
  },
  computed: { arn: true },

  /** Puts, so a creation that is repeated after a crash finds its own. */
  async create(inputs, { cloud, created }) {
    await put(cloud, inputs);
    created(inputs.scheduledActionName);
    return inputs.scheduledActionName;
  },

  async read({ id, cloud, state }) {
    const command = new DescribeScheduledActionsCommand({
      AutoScalingGroupName: state.autoscalingGroupName,
      ScheduledActionNames: [id],
    });
    const answer = await unless(["ValidationError"], cloud.autoScaling.send(command));
    const found = answer?.ScheduledUpdateGroupActions?.[0];
    if (found === undefined) return undefined;
    return {
      arn: found.ScheduledActionARN ?? "",
      autoscalingGroupName: found.AutoScalingGroupName ?? "",
      desiredCapacity: found.DesiredCapacity ?? unchanged,
      endTime: time(found.EndTime),
      maxSize: found.MaxSize ?? unchanged,
      minSize: found.MinSize ?? unchanged,
      recurrence: found.Recurrence ?? "",
      scheduledActionName: id,
      startTime: time(found.StartTime),
      timeZone: found.TimeZone ?? "",
    };
  },

  async update({ cloud, news }) {
    await put(cloud, news);
  },

  async delete({ id, cloud, state }) {
    const command = new DeleteScheduledActionCommand({
      AutoScalingGroupName: state.autoscalingGroupName,
      ScheduledActionName: id,
    });
    await unless(["ValidationError"], cloud.autoScaling.send(command));
  },

  /** `GROUP/NAME` */
  async importId(id) {
    const [autoscalingGroupName = "", name = ""] = id.split("/");
    return { id: name, autoscalingGroupName };
  },
});

/** Marks a size that the action does not change. */
const unchanged = -1;

async function put(cloud: Cloud, inputs: Inputs): Promise<void> {
  const size = (value: number | undefined) => (value === unchanged ? undefined : value);
  const at = (value: string | undefined) => (value ? new Date(value) : undefined);
  await cloud.autoScaling.send(
    new PutScheduledUpdateGroupActionCommand({
      AutoScalingGroupName: inputs.autoscalingGroupName,
      ScheduledActionName: inputs.scheduledActionName,
      DesiredCapacity: size(inputs.desiredCapacity),
      MaxSize: size(inputs.maxSize),
      MinSize: size(inputs.minSize),
      Recurrence: inputs.recurrence,
      StartTime: at(inputs.startTime),
      EndTime: at(inputs.endTime),
      TimeZone: inputs.timeZone,
    }),
  );
}

/** The official plugin's form, without fractions of a second. */
function time(date: Date | undefined): string {
  return date === undefined ? "" : date.toISOString().replace(/\.\d+Z$/, "Z");
}
