import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { components, siteNames } from "./names.ts";
import { keepId, type Owner, tags } from "./tags.ts";

export interface AddressesArgs {
  readonly owner: Owner;
  readonly holders: readonly Holder[];
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
}

/** The site's Elastic IPs. An address moves in one call, so it is never without a holder. */
export class Addresses extends pulumi.ComponentResource {
  readonly addresses: { readonly eip: aws.ec2.Eip; readonly holder: aws.ec2.Instance }[];

  constructor(name: string, args: AddressesArgs, opts?: pulumi.ComponentResourceOptions) {
    super(components.Addresses, name, {}, opts);
    this.addresses = args.holders.map(({ instance: holder, adopted, protect }, index) => {
      const addressName = siteNames.address(name, index);
      const eip = new aws.ec2.Eip(
        addressName,
        { domain: "vpc", tags: tags(addressName, args.owner) },
        { parent: this, protect, ignoreChanges: args.adopted ? ["tags", "tagsAll"] : keepId },
      );
      // Replaced create-first: the new association takes the address over, and deleting the old one finds nothing.
      new aws.ec2.EipAssociation(
        addressName,
        { allocationId: eip.id, instanceId: holder.id, allowReassociation: true },
        // An imported association does not record this flag, and changing it would replace the association.
        { parent: this, ignoreChanges: adopted ? ["allowReassociation"] : [] },
      );
      return { eip, holder };
    });
    this.registerOutputs({ publicIps: this.addresses.map(({ eip }) => eip.publicIp) });
  }
}
