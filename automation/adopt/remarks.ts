import { differences } from "./differences.ts";
import type { Facts } from "./facts.ts";
import { frontendsOf, furtherVolumes } from "./servers.ts";

/** In what the next generation will not be as this one; nothing of it is changed by adopting. */
export function remarks(facts: Facts): string[] {
  const { addresses, attributes, targetGroup, listener, terminationProtected, typeInfo } = facts;
  const frontends = frontendsOf(facts);
  const idsOf = (instances: typeof frontends) => instances.map(({ InstanceId }) => InstanceId).join(", ");
  const assigned = frontends.filter(
    ({ InstanceId, PublicIpAddress }) =>
      PublicIpAddress !== undefined && !addresses.some((address) => address.InstanceId === InstanceId),
  );
  const imdsv1 = frontends.filter(({ MetadataOptions }) => MetadataOptions?.HttpTokens !== "required");
  const interfaces = frontends.filter(({ NetworkInterfaces = [] }) => NetworkInterfaces.length > 1);
  const volumes = frontends.filter((instance) => furtherVolumes(instance).length > 0);
  const [weighted] = listener.listener.DefaultActions?.[0]?.ForwardConfig?.TargetGroups ?? [];
  const sticky = attributes["stickiness.enabled"] === "true";
  return [
    assigned.length > 0 &&
      `${idsOf(assigned)}: public addresses that the subnet assigned. New servers get none but Elastic IPs; let them reach the internet through a NAT gateway, if they must.`,
    imdsv1.length > 0 && `${idsOf(imdsv1)}: IMDSv1 is allowed. New servers answer IMDSv2 only.`,
    interfaces.length > 0 && `${idsOf(interfaces)}: more than one network interface. New servers have one.`,
    volumes.length > 0 &&
      `${idsOf(volumes)}: volumes beside the root. New servers have those of their image; these stay when the servers are retired.`,
    typeInfo.hasInstanceStore &&
      `${idsOf(frontends)}: an instance store. What is on it is lost when they are retired, and nothing can keep it.`,
    terminationProtected.length > 0 &&
      `${terminationProtected.join(", ")}: termination protection. Turn it off before an upgrade retires them, or that stops there: aws ec2 modify-instance-attribute --no-disable-api-termination --instance-id …`,
    sticky &&
      "The first `pulumi up` makes the listener sticky between target groups, as its target group is between servers.",
    !sticky &&
      weighted?.Weight !== undefined &&
      weighted.Weight !== 1 &&
      `The first \`pulumi up\` gives the listener's only target group the weight 1 instead of ${weighted.Weight}; it gets every request with either.`,
    !accepts200(targetGroup.Matcher?.HttpCode) &&
      `Health checks of ${targetGroup.TargetGroupName} do not take the status 200, which smoke checks expect unless handover:upgrade.smoke says otherwise.`,
    frontends.length < 2 && "There is one server only: nothing serves while it fails.",
    ...differences(facts),
  ].filter((remark) => remark !== false);
}

/** Whether 200 is among statuses such as "200-299" or "200,302". */
function accepts200(matcher = "200"): boolean {
  return matcher.split(",").some((part) => {
    const [from = 0, to = from] = part.split("-").map(Number);
    return from <= 200 && 200 <= to;
  });
}
