import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { SiteConfig } from "./config.ts";
import type { NamedAddress } from "./named-addresses.ts";
import { components, siteNames } from "./names.ts";
import { keepId, type Owner, tags } from "./tags.ts";

export interface AddressesArgs {
  readonly owner: Owner;
  readonly holders: readonly Holder[];
  /** Where addresses that are not there yet come from. */
  readonly from: Pick<SiteConfig["elasticIps"], "publicIpv4Pool" | "ipamPoolId">;
  /** Set when some addresses may be older than the stack. */
  readonly adopted: boolean;
}

/** The server that holds an address. */
export interface Holder {
  readonly instance: aws.ec2.Instance;
  /** Set for a server that is older than the stack. */
  readonly adopted: boolean;
  /** Whether the engine refuses to release its address: AWS gives that to somebody else. */
  readonly protect: boolean;
  /** Its address, where the file names that: it is no resource of the stack. Default: the stack has one of its own. */
  readonly named?: NamedAddress | undefined;
}

export interface Address {
  readonly publicIp: pulumi.Input<string>;
  readonly allocationId: pulumi.Input<string>;
  readonly holder: aws.ec2.Instance;
  readonly isNamed: boolean;
}

/** The site's Elastic IPs. An address moves in one call, so it is never without a holder. */
export class Addresses extends pulumi.ComponentResource {
  readonly addresses: readonly Address[];

  constructor(name: string, args: AddressesArgs, opts?: pulumi.ComponentResourceOptions) {
    super(components.Addresses, name, {}, opts);
    this.addresses = args.holders.map(({ instance: holder, adopted, protect, named }, index) => {
      const addressName = siteNames.address(name, index);
      const { publicIp, allocationId } = named ?? this.allocate(addressName, args, protect);
      // Replaced create-first: the new association takes the address over, and deleting the old one finds nothing.
      new aws.ec2.EipAssociation(
        addressName,
        { allocationId, instanceId: holder.id, allowReassociation: true },
        // An imported association does not record this flag, and changing it would replace the association.
        { parent: this, ignoreChanges: adopted ? ["allowReassociation"] : [] },
      );
      return { publicIp, allocationId, holder, isNamed: named !== undefined };
    });
    this.registerOutputs({ publicIps: this.addresses.map(({ publicIp }) => publicIp) });
  }

  /** An address that is there stays as it is, wherever others come from by now. */
  private allocate(name: string, { owner, from, adopted }: AddressesArgs, protect: boolean) {
    const { publicIp, id: allocationId } = new aws.ec2.Eip(
      name,
      { domain: "vpc", publicIpv4Pool: from.publicIpv4Pool, ipamPoolId: from.ipamPoolId, tags: tags(name, owner) },
      {
        parent: this,
        protect,
        ignoreChanges: ["publicIpv4Pool", "ipamPoolId", ...(adopted ? ["tags", "tagsAll"] : keepId)],
      },
    );
    return { publicIp, allocationId };
  }
}
