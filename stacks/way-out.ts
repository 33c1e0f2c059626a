/** A server's way to the Internet, by the routes of its subnet: it may need a public address for it, or there is none. */
export type WayOut = "public address" | "no address" | "none";

/** A route, as far as it leads anywhere. */
export interface RouteFacts {
  /** Its block; undefined for one to a prefix list. */
  readonly destination: string | undefined;
  /** An id, for example `igw-0a1b2c3d` or `nat-0a1b2c3d`; undefined where what it led to is gone. */
  readonly target: string | undefined;
}

/**
 * An internet gateway translates addresses and lets nobody out who has none of his own; a NAT gateway or instance, a transit
 * gateway and all others do. Of IPv6 every address is public.
 * https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html
 */
export function wayOutBy(routes: readonly RouteFacts[]): WayOut {
  const to = (destinations: readonly string[]) =>
    routes.find(({ destination = "", target }) => destinations.includes(destination) && target !== undefined)?.target;
  // A VPN may write the whole of IPv4 in two halves.
  const target = to(["0.0.0.0/0", "0.0.0.0/1"]) ?? (to(["::/0"]) && "IPv6");
  if (target === undefined) return "none";
  return target.startsWith("igw-") ? "public address" : "no address";
}
