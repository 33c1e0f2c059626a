import {
  AddListenerCertificatesCommand,
  paginateDescribeListenerCertificates,
  RemoveListenerCertificatesCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type * as aws from "@pulumi/aws";
import { unless } from "../errors.ts";
import { string } from "../fields.ts";
import { resource } from "../resource.ts";

const notFound = ["ListenerNotFound", "ListenerNotFoundException"];

/** A certificate of a listener beside its own. Adding one that is there does nothing. */
export const listenerCertificate = resource<aws.lb.ListenerCertificate, aws.lb.ListenerCertificateArgs>({
  token: "aws:lb/listenerCertificate:ListenerCertificate",
  fields: {
    certificateArn: string({ required: true, replace: true }),
    listenerArn: string({ required: true, replace: true }),
  },
  computed: {},

  async create({ listenerArn = "", certificateArn = "" }, { cloud, created }) {
    const Certificates = [{ CertificateArn: certificateArn }];
    await cloud.loadBalancing.send(new AddListenerCertificatesCommand({ ListenerArn: listenerArn, Certificates }));
    const id = idOf(listenerArn, certificateArn);
    created(id);
    return id;
  },

  async read({ id, cloud }) {
    const [listenerArn, certificateArn] = partsOf(id);
    const pages = paginateDescribeListenerCertificates({ client: cloud.loadBalancing }, { ListenerArn: listenerArn });
    const look = async () => {
      for await (const { Certificates = [] } of pages) {
        // The listener's own is told too.
        if (Certificates.some((each) => each.CertificateArn === certificateArn && each.IsDefault !== true))
          return { listenerArn, certificateArn };
      }
      return undefined;
    };
    return unless(notFound, look());
  },

  async delete({ id, cloud }) {
    const [ListenerArn, CertificateArn] = partsOf(id);
    const command = new RemoveListenerCertificatesCommand({ ListenerArn, Certificates: [{ CertificateArn }] });
    await unless(notFound, cloud.loadBalancing.send(command));
  },
});

/** As the official plugin has it: no ARN of a listener has an underscore. */
function idOf(listenerArn: string, certificateArn: string): string {
  return `${listenerArn}_${certificateArn}`;
}

function partsOf(id: string): [listenerArn: string, certificateArn: string] {
  const at = id.indexOf("_arn:");
  return [id.slice(0, at), id.slice(at + 1)];
}
