import type { InstanceState, SubnetState } from "./state.ts";

/** How a server reaches the Internet at one moment. */
export interface WayOut {
  /** The target of its subnet's default route: `igw-…`, `nat-…`, `tgw-…`, … */
  readonly target: string;
  /** The address that others see; null behind a target that has none the cloud knows of. */
  readonly source: string | null;
}

/**
 * A server's way out; undefined where it has none. Behind an internet gateway a server needs a public address: the gateway
 * only translates between it and the private one. Every other target passes on what it gets.
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html
 */
export function wayOut(
  { publicIp }: Pick<InstanceState, "publicIp">,
  subnet: SubnetState | undefined,
): WayOut | undefined {
  const route = subnet?.defaultRoute ?? null;
  if (route === null) return undefined;
  const { target } = route;
  if (!target.startsWith("igw-")) return { target, source: route.publicIp };
  return publicIp === null ? undefined : { target, source: publicIp };
}
