import {
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  DeleteInternetGatewayCommand,
  DescribeInternetGatewaysCommand,
  DetachInternetGatewayCommand,
} from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { unless } from "../errors.ts";
import { map, string } from "../fields.ts";
import { resource } from "../resource.ts";
import { tagMap, tagSpecifications, updateTags } from "../tags.ts";
import { insist } from "../wait.ts";

export const internetGateway = resource<aws.ec2.InternetGateway, aws.ec2.InternetGatewayArgs>({
  token: "aws:ec2/internetGateway:InternetGateway",
  fields: { tags: map(), vpcId: string({ computed: true }) },
  computed: { arn: true, ownerId: true },

  async create(inputs, { cloud, created }) {
    const { InternetGateway } = await cloud.ec2.send(
      new CreateInternetGatewayCommand({ TagSpecifications: tagSpecifications("internet-gateway", inputs.tags) }),
    );
    const id = InternetGateway?.InternetGatewayId ?? "";
    created(id);
    if (inputs.vpcId !== undefined) await attach(cloud, id, inputs.vpcId);
    return id;
  },

  async read({ id, cloud }) {
    const found = await find(cloud, id);
    if (found === undefined) return undefined;
    const ownerId = found.OwnerId ?? "";
    return {
      arn: `arn:aws:ec2:${cloud.region}:${ownerId}:internet-gateway/${id}`,
      ownerId,
      tags: tagMap(found.Tags),
      vpcId: found.Attachments?.[0]?.VpcId ?? "",
    };
  },

  async update({ cloud, id, olds, news, changed, signal, timeoutSeconds = 1200 }) {
    if (changed("vpcId")) {
      if (olds.vpcId) await detach(cloud, id, olds.vpcId, { signal, timeoutSeconds });
      if (news.vpcId) await attach(cloud, id, news.vpcId);
    }
    await updateTags(cloud, id, olds.tags, news.tags);
  },

  async delete({ id, cloud, signal, timeoutSeconds = 1200 }) {
    const attached = (await find(cloud, id))?.Attachments?.[0]?.VpcId;
    // Public addresses in the network may still be on their way out.
    if (attached) await detach(cloud, id, attached, { signal, timeoutSeconds });
    const remove = () => cloud.ec2.send(new DeleteInternetGatewayCommand({ InternetGatewayId: id }));
    const gone = () => unless(["InvalidInternetGatewayID.NotFound"], remove());
    await insist(["DependencyViolation"], gone, { timeoutSeconds, signal });
  },
});

async function find(cloud: Cloud, id: string) {
  const call = cloud.ec2.send(new DescribeInternetGatewaysCommand({ InternetGatewayIds: [id] }));
  return (await unless(["InvalidInternetGatewayID.NotFound"], call))?.InternetGateways?.[0];
}

async function attach(cloud: Cloud, id: string, vpcId: string): Promise<void> {
  const command = new AttachInternetGatewayCommand({ InternetGatewayId: id, VpcId: vpcId });
  // The gateway may not be known everywhere right after its creation.
  await insist(["InvalidInternetGatewayID.NotFound"], () => cloud.ec2.send(command), {
    timeoutSeconds: 15,
    signal: AbortSignal.timeout(120_000),
  });
}

async function detach(
  cloud: Cloud,
  id: string,
  vpcId: string,
  options: { signal: AbortSignal; timeoutSeconds: number },
): Promise<void> {
  const command = new DetachInternetGatewayCommand({ InternetGatewayId: id, VpcId: vpcId });
  const detached = () => unless(["Gateway.NotAttached", "InvalidInternetGatewayID.NotFound"], cloud.ec2.send(command));
  await insist(["DependencyViolation"], detached, options);
}
