import * as aws from "@pulumi/aws";
import type { Intent } from "./intent.ts";
import type { LastOutputs } from "./outputs.ts";

const there = ["pending", "running", "stopping", "stopped"];

/**
 * Volumes beside the root that an update by hand would delete together with their servers; undefined when there are
 * none. The driver keeps them itself, before its update.
 */
export async function disksLost(desired: Intent, last: LastOutputs | undefined): Promise<string | undefined> {
  const filters = Object.entries(last?.outputs.generations ?? {}).flatMap(([name, { frontends, array }]) => {
    const next = desired.generations[name];
    const stay = (server: string) => next?.left?.includes(server) ?? next !== undefined;
    const ids = frontends.flatMap((server) => (stay(server.name) ? [] : [server.instanceId]));
    return [
      ...(ids.length > 0 ? [{ name: "instance-id", values: ids }] : []),
      ...(array !== undefined && next?.array === undefined
        ? [{ name: "tag:aws:autoscaling:groupName", values: [array.name] }]
        : []),
    ];
  });
  const found = filters.map((filter) => aws.ec2.getInstances({ filters: [filter], instanceStateNames: there }));
  const ids = [...new Set((await Promise.all(found)).flatMap((each) => each.ids))];
  const servers = await Promise.all(ids.map((instanceId) => aws.ec2.getInstance({ instanceId })));
  const lost = servers.flatMap(({ id, ebsBlockDevices }) =>
    ebsBlockDevices.flatMap(({ deleteOnTermination, deviceName, volumeId }) =>
      deleteOnTermination ? [{ id, deviceName, volumeId }] : [],
    ),
  );
  const [first] = lost;
  if (first === undefined) return undefined;
  const names = lost.map(({ id, deviceName, volumeId }) => `${volumeId} (${deviceName} of ${id})`).join(", ");
  return (
    `AWS would delete ${names} together with the servers. Let each volume stay first, for example: ` +
    `aws ec2 modify-instance-attribute --instance-id ${first.id} --block-device-mappings '[{"DeviceName":"${first.deviceName}","Ebs":{"DeleteOnTermination":false}}]'`
  );
}
