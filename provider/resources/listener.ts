import {
  CreateListenerCommand,
  DeleteListenerCommand,
  DescribeListenersCommand,
  ModifyListenerCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type * as aws from "@pulumi/aws";
import { codeOf, unless } from "../errors.ts";
import { map, number, string } from "../fields.ts";
import { type Creation, type InputsOf, resource } from "../resource.ts";
import { sameTags } from "../tags.ts";
import { actionRequests, actions, describeActions } from "./actions.ts";
import { balancingTags, describeTags, updateBalancingTags } from "./balancing.ts";

type Inputs = InputsOf<aws.lb.ListenerArgs>;
const notFound = ["ListenerNotFound", "ListenerNotFoundException"];

export const listener = resource<aws.lb.Listener, aws.lb.ListenerArgs>({
  token: "aws:lb/listener:Listener",
  fields: {
    certificateArn: string(),
    defaultActions: actions,
    loadBalancerArn: string({ required: true, replace: true }),
    port: number({ required: true }),
    protocol: string({ computed: true }),
    sslPolicy: string({ computed: true }),
    tags: map(),
  },
  computed: { arn: true },

  async create(inputs, creation) {
    const { cloud, created } = creation;
    try {
      const command = new CreateListenerCommand({
        LoadBalancerArn: inputs.loadBalancerArn,
        Tags: balancingTags(inputs.tags),
        ...settings(inputs),
      });
      const arn = (await cloud.loadBalancing.send(command)).Listeners?.[0]?.ListenerArn ?? "";
      created(arn);
      return arn;
    } catch (error) {
      if (!["DuplicateListener", "DuplicateListenerException"].includes(codeOf(error) ?? "")) throw error;
      return adopt(inputs, creation, error);
    }
  },

  async read({ id, cloud, state }) {
    const call = cloud.loadBalancing.send(new DescribeListenersCommand({ ListenerArns: [id] }));
    const found = (await unless(notFound, call))?.Listeners?.[0];
    if (found === undefined) return undefined;
    return {
      ...noHeaders,
      arn: id,
      certificateArn: found.Certificates?.[0]?.CertificateArn,
      defaultActions: describeActions(found.DefaultActions, state.defaultActions),
      loadBalancerArn: found.LoadBalancerArn ?? "",
      mutualAuthentication: {
        advertiseTrustStoreCaNames: found.MutualAuthentication?.AdvertiseTrustStoreCaNames ?? "",
        mode: found.MutualAuthentication?.Mode ?? "off",
      },
      port: found.Port,
      protocol: found.Protocol ?? "",
      sslPolicy: found.SslPolicy ?? "",
      tags: await describeTags(cloud, id),
      tcpIdleTimeoutSeconds: 0,
    };
  },

  async update({ cloud, id, olds, news, changed }) {
    if (changed("certificateArn", "defaultActions", "port", "protocol", "sslPolicy")) {
      await cloud.loadBalancing.send(new ModifyListenerCommand({ ListenerArn: id, ...settings(news) }));
    }
    await updateBalancingTags(cloud, id, olds.tags, news.tags);
  },

  async delete({ id, cloud }) {
    await unless(notFound, cloud.loadBalancing.send(new DeleteListenerCommand({ ListenerArn: id })));
  },
});

function settings({ certificateArn, defaultActions, port, protocol, sslPolicy }: Inputs) {
  return {
    Port: port,
    Protocol: (protocol ?? (certificateArn === undefined ? "HTTP" : "HTTPS")) as "HTTP",
    SslPolicy: sslPolicy,
    DefaultActions: actionRequests(defaultActions ?? []),
    ...(certificateArn !== undefined && { Certificates: [{ CertificateArn: certificateArn }] }),
  };
}

/** A listener with the same tags that the state does not hold was left behind by a crash. */
async function adopt(inputs: Inputs, { cloud, created, isHeld }: Creation, duplicate: unknown): Promise<string> {
  const command = new DescribeListenersCommand({ LoadBalancerArn: inputs.loadBalancerArn });
  const { Listeners = [] } = await cloud.loadBalancing.send(command);
  const arn = Listeners.find(({ Port }) => Port === inputs.port)?.ListenerArn;
  if (arn === undefined || isHeld || !sameTags(await describeTags(cloud, arn), inputs.tags)) throw duplicate;
  created(arn);
  await cloud.loadBalancing.send(new ModifyListenerCommand({ ListenerArn: arn, ...settings(inputs) }));
  return arn;
}

/** Header rewriting is not supported. */
const noHeaders = {
  routingHttpRequestXAmznMtlsClientcertHeaderName: "",
  routingHttpRequestXAmznMtlsClientcertIssuerHeaderName: "",
  routingHttpRequestXAmznMtlsClientcertLeafHeaderName: "",
  routingHttpRequestXAmznMtlsClientcertSerialNumberHeaderName: "",
  routingHttpRequestXAmznMtlsClientcertSubjectHeaderName: "",
  routingHttpRequestXAmznMtlsClientcertValidityHeaderName: "",
  routingHttpRequestXAmznTlsCipherSuiteHeaderName: "",
  routingHttpRequestXAmznTlsVersionHeaderName: "",
  routingHttpResponseAccessControlAllowCredentialsHeaderValue: "",
  routingHttpResponseAccessControlAllowHeadersHeaderValue: "",
  routingHttpResponseAccessControlAllowMethodsHeaderValue: "",
  routingHttpResponseAccessControlAllowOriginHeaderValue: "",
  routingHttpResponseAccessControlExposeHeadersHeaderValue: "",
  routingHttpResponseAccessControlMaxAgeHeaderValue: "",
  routingHttpResponseContentSecurityPolicyHeaderValue: "",
  routingHttpResponseServerEnabled: true,
  routingHttpResponseStrictTransportSecurityHeaderValue: "",
  routingHttpResponseXContentTypeOptionsHeaderValue: "",
  routingHttpResponseXFrameOptionsHeaderValue: "",
};
