import { createRequire } from "node:module";
import type { Facts } from "./facts.ts";
import { frontendsOf } from "./servers.ts";

/** An entry of the file that `pulumi import --file` takes: https://www.pulumi.com/docs/iac/guides/migration/import/ */
export interface Imported {
  readonly type: string;
  /** Unique in the file. */
  readonly name: string;
  /** The program's name for it, if another. */
  readonly logicalName?: string;
  /** In the words of the plugin; a component has none. */
  readonly id?: string;
  readonly component?: true;
  /** Name of another entry. Default: the stack. */
  readonly parent?: string;
  /** The plugin's. */
  readonly version?: string;
}

const { version } = createRequire(import.meta.url)("@pulumi/aws/package.json") as { version: string };

/** Everything of the site that is there, under the names that the program (`stacks/`) gives it. */
export function importFile(facts: Facts, generation: string): { readonly resources: readonly Imported[] } {
  const { loadBalancer, listener, targetGroup } = facts;
  const component = (kind: string, name: string, parent?: string): Imported => {
    return { type: `handover:site:${kind}`, name: `${kind}-${name}`, logicalName: name, component: true, parent };
  };
  const resource = (type: string, name: string, parent: string, id = ""): Imported => {
    const kind = type.split(":").at(-1);
    return { type, name: `${kind}-${name}`, logicalName: name, id, parent, version };
  };
  const group = `Generation-${generation}`;
  const frontends = frontendsOf(facts).map(({ InstanceId = "" }, index) => ({
    id: InstanceId,
    name: `${generation}-${index + 1}`,
    address: facts.addresses.find((address) => address.InstanceId === InstanceId),
  }));
  return {
    resources: [
      component("Site", "site"),
      component("Network", "site", "Site-site"),
      component("Generation", generation, "Site-site"),
      component("Balancer", "site", "Site-site"),
      component("Addresses", "address", "Site-site"),
      resource("aws:lb/targetGroup:TargetGroup", generation, group, targetGroup.TargetGroupArn),
      ...frontends.map(({ id, name }) => resource("aws:ec2/instance:Instance", name, group, id)),
      ...frontends.map(({ id, name }) =>
        resource(
          "aws:lb/targetGroupAttachment:TargetGroupAttachment",
          name,
          group,
          `${targetGroup.TargetGroupArn},${id},${targetGroup.Port}`,
        ),
      ),
      resource("aws:lb/loadBalancer:LoadBalancer", "site", "Balancer-site", loadBalancer.LoadBalancerArn),
      resource("aws:lb/listener:Listener", "site", "Balancer-site", listener.listener.ListenerArn),
      ...frontends
        .flatMap(({ address }) => address ?? [])
        .flatMap(({ AllocationId, AssociationId }, index) => [
          resource("aws:ec2/eip:Eip", `address-${index + 1}`, "Addresses-address", AllocationId),
          resource("aws:ec2/eipAssociation:EipAssociation", `address-${index + 1}`, "Addresses-address", AssociationId),
        ]),
    ],
  };
}
