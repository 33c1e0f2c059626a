import { createRequire } from "node:module";
import { components, generationNames, siteNames, types } from "../../stacks/names.ts";
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
  const component = (kind: keyof typeof components, name: string, parent?: string): Imported => {
    return { type: components[kind], name: `${kind}-${name}`, logicalName: name, component: true, parent };
  };
  const resource = (type: string, name: string, parent: string, id = ""): Imported => {
    const kind = type.split(":").at(-1);
    return { type, name: `${kind}-${name}`, logicalName: name, id, parent, version };
  };
  const { site } = siteNames;
  const siteComponent = component("Site", site);
  const generationComponent = component("Generation", generation, siteComponent.name);
  const balancer = component("Balancer", site, siteComponent.name);
  const addresses = component("Addresses", siteNames.addresses, siteComponent.name);
  const frontends = frontendsOf(facts).map(({ InstanceId = "" }, index) => ({
    id: InstanceId,
    name: generationNames.instance.of(generation, index),
    address: facts.addresses.find((address) => address.InstanceId === InstanceId),
  }));
  return {
    resources: [
      siteComponent,
      component("Network", site, siteComponent.name),
      generationComponent,
      balancer,
      addresses,
      resource(types.targetGroup, generation, generationComponent.name, targetGroup.TargetGroupArn),
      ...frontends.map(({ id, name }) => resource(types.instance, name, generationComponent.name, id)),
      ...frontends.map(({ id, name }) =>
        resource(
          types.targetGroupAttachment,
          name,
          generationComponent.name,
          `${targetGroup.TargetGroupArn},${id},${targetGroup.Port}`,
        ),
      ),
      resource(types.loadBalancer, site, balancer.name, loadBalancer.LoadBalancerArn),
      resource(types.listener, site, balancer.name, listener.listener.ListenerArn),
      ...frontends
        .flatMap(({ address }) => address ?? [])
        .flatMap(({ AllocationId, AssociationId }, index) => {
          const name = siteNames.address(siteNames.addresses, index);
          return [
            resource(types.eip, name, addresses.name, AllocationId),
            resource(types.eipAssociation, name, addresses.name, AssociationId),
          ];
        }),
    ],
  };
}
