import {
  DescribeLoadBalancersCommand,
  type ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";

/** A Classic Load Balancer. */
export interface ClassicBalancer {
  readonly name: string;
  readonly instanceIds: readonly string[];
}

/** The older version of the service's API, under the same action: one client is enough for both. */
const version = "2012-06-01";

/**
 * The region's Classic Load Balancers.
 * https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_DescribeLoadBalancers.html
 */
export async function classicBalancers(
  client: ElasticLoadBalancingV2Client,
  abortSignal?: AbortSignal,
): Promise<ClassicBalancer[]> {
  const found: ClassicBalancer[] = [];
  for (let marker: string | undefined; ; ) {
    const page = await askClassic(client, marker, abortSignal);
    found.push(...balancersIn(page));
    const next = /<NextMarker>([^<]+)<\/NextMarker>/.exec(page)?.[1];
    if (next === undefined) return found;
    marker = next;
  }
}

async function askClassic(
  client: ElasticLoadBalancingV2Client,
  Marker: string | undefined,
  abortSignal: AbortSignal | undefined,
): Promise<string> {
  let answer = "";
  const command = new DescribeLoadBalancersCommand({ Marker });
  command.middlewareStack.add(
    (next) => async (args) => {
      const request = args.request as { body: string };
      request.body = request.body.replace(/\bVersion=[\d-]+/, `Version=${version}`);
      return next(args);
    },
    { step: "build", priority: "high", name: "askOlderVersion" },
  );
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as { statusCode: number; body: AsyncIterable<Uint8Array> | Uint8Array };
      if (response.statusCode >= 300) return result;
      answer = await textOf(response.body);
      // What the newer version's reader makes of it is not asked for.
      response.body = new TextEncoder().encode(
        answer.replace(/<LoadBalancerDescriptions[\s\S]*?<\/LoadBalancerDescriptions>/, ""),
      );
      return result;
    },
    { step: "deserialize", priority: "low", name: "readOlderVersion" },
  );
  await client.send(command, { abortSignal });
  return answer;
}

async function textOf(body: AsyncIterable<Uint8Array> | Uint8Array): Promise<string> {
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** Reads the balancers out of an answer, whose elements come in no order. */
export function balancersIn(xml: string): ClassicBalancer[] {
  const list = /<LoadBalancerDescriptions>([\s\S]*)<\/LoadBalancerDescriptions>/.exec(xml)?.[1] ?? "";
  return members(list).map((text) => ({
    name: /<LoadBalancerName>([^<]*)/.exec(text)?.[1] ?? "",
    instanceIds: [...text.matchAll(/<InstanceId>([^<]+)</g)].map(([, id = ""]) => id),
  }));
}

/** The outermost `member` elements. */
function members(list: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let from = 0;
  for (const { 0: tag, index } of list.matchAll(/<\/?member>/g)) {
    const opens = tag === "<member>";
    if (opens && depth === 0) from = index;
    depth += opens ? 1 : -1;
    if (depth === 0) found.push(list.slice(from, index));
  }
  return found;
}
