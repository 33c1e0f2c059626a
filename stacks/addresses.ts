import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type Owner, tags } from "./tags.ts";

export interface AddressesArgs {
  readonly owner: Owner;
  /** The server that holds each address. */
  readonly holders: readonly aws.ec2.Instance[];
}

/** The site's Elastic IPs. An address moves in one call: there is no moment in which nobody holds it. */
export class Addresses extends pulumi.ComponentResource {
  readonly addresses: { readonly eip: aws.ec2.Eip; readonly holder: aws.ec2.Instance }[];

  constructor(name: string, args: AddressesArgs, options?: pulumi.ComponentResourceOptions) {
    super("handover:site:Addresses", name, {}, options);
    this.addresses = args.holders.map((holder, index) => {
      const addressName = `${name}-${index + 1}`;
      const eip = new aws.ec2.Eip(
        addressName,
        { domain: "vpc", tags: tags(addressName, args.owner) },
        { parent: this },
      );
      // Replaced create-first: the new association takes the address over, and deleting the old one finds nothing.
      new aws.ec2.EipAssociation(
        addressName,
        { allocationId: eip.id, instanceId: holder.id, allowReassociation: true },
        { parent: this },
      );
      return { eip, holder };
    });
    this.registerOutputs({ publicIps: this.addresses.map(({ eip }) => eip.publicIp) });
  }
}
