import { AssociateAddressCommand, DisassociateAddressCommand } from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import { unless } from "../errors.ts";
import { boolean, string } from "../fields.ts";
import { resource } from "../resource.ts";
import { insist, waitUntilThere } from "../wait.ts";
import { findAddress } from "./eip.ts";

export const eipAssociation = resource<aws.ec2.EipAssociation, aws.ec2.EipAssociationArgs>({
  token: "aws:ec2/eipAssociation:EipAssociation",
  fields: {
    allocationId: string({ computed: true, replace: true }),
    allowReassociation: boolean({ replace: true, writeOnly: true }),
    instanceId: string({ computed: true, replace: true }),
    networkInterfaceId: string({ computed: true, replace: true }),
    privateIpAddress: string({ computed: true, replace: true }),
    publicIp: string({ computed: true, replace: true }),
  },
  computed: {},
  exactlyOne: [["instanceId", "networkInterfaceId"]],

  async create(inputs, { cloud, created, signal, timeoutSeconds = 300 }) {
    const command = new AssociateAddressCommand({
      AllocationId: inputs.allocationId,
      AllowReassociation: inputs.allowReassociation,
      InstanceId: inputs.instanceId,
      NetworkInterfaceId: inputs.networkInterfaceId,
      PrivateIpAddress: inputs.privateIpAddress,
      PublicIp: inputs.publicIp,
    });
    // An address or a server may not be known everywhere right after its creation.
    const retried = ["InvalidAllocationID.NotFound", "InvalidInstanceID", "InvalidInstanceID.NotFound"];
    const call = () => cloud.ec2.send(command);
    const { AssociationId = "" } = await insist(retried, call, { timeoutSeconds: 15, signal });
    created(AssociationId);
    await waitUntilThere(() => findAddress(cloud, "association-id", AssociationId), {
      what: `EC2 EIP Association (${AssociationId})`,
      timeoutSeconds,
      signal,
    });
    return AssociationId;
  },

  async read({ id, cloud }) {
    const found = await findAddress(cloud, "association-id", id);
    if (found === undefined) return undefined;
    return {
      allocationId: found.AllocationId ?? "",
      instanceId: found.InstanceId ?? "",
      networkInterfaceId: found.NetworkInterfaceId ?? "",
      privateIpAddress: found.PrivateIpAddress ?? "",
      publicIp: found.PublicIp ?? "",
    };
  },

  /** When the address has moved on, the association is gone already. */
  async delete({ id, cloud }) {
    const command = new DisassociateAddressCommand({ AssociationId: id });
    await unless(["InvalidAssociationID.NotFound"], cloud.ec2.send(command));
  },
});
