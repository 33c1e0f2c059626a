import { BlockList, isIP } from "node:net";

type Environment = Readonly<Record<string, string | undefined>>;

/** Lower case first, as curl, Go and Node have it. */
function variable(env: Environment, name: string): string | undefined {
  return env[name.toLowerCase()] || env[name] || undefined;
}

/** A service, and every name and address that it goes by. */
export interface Destination {
  readonly protocol: "http" | "https";
  readonly names: readonly string[];
  readonly port: number;
}

/**
 * The proxy through which to ask, by HTTP_PROXY, HTTPS_PROXY and NO_PROXY; undefined where it is asked without one. This
 * machine's own addresses never are. NO_PROXY has names (with all below them), addresses and networks, each with or
 * without a port, as Pulumi's engine reads it: https://pkg.go.dev/golang.org/x/net/http/httpproxy
 */
export function proxyFor({ protocol, names, port }: Destination, env: Environment = process.env): string | undefined {
  const proxy = variable(env, protocol === "https" ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (proxy === undefined || names.some((name) => isExcepted(name, port, exceptions(env)))) return undefined;
  return withProtocol(proxy);
}

/**
 * The same for an agent of Node's (`proxyEnv`), which knows no networks, and names only one by one; undefined where no
 * proxy is set. https://nodejs.org/api/http.html#built-in-proxy-support
 */
export function proxyEnvironment(env: Environment = process.env): Record<string, string> | undefined {
  const [http, https] = ["HTTP_PROXY", "HTTPS_PROXY"].map((name) => variable(env, name));
  if (http === undefined && https === undefined) return undefined;
  const excepted = exceptions(env).flatMap(({ host, prefix, port }) => {
    const suffix = port === undefined ? "" : `:${port}`;
    if (host === "*") return ["*"];
    if (isIP(host) === 4 && prefix !== undefined) return [rangeOf(host, prefix)];
    return isIP(host) > 0 ? [host + suffix] : [host + suffix, `.${host}${suffix}`];
  });
  return {
    ...(http !== undefined && { HTTP_PROXY: withProtocol(http) }),
    ...(https !== undefined && { HTTPS_PROXY: withProtocol(https) }),
    NO_PROXY: excepted.join(","),
  };
}

interface Exception {
  /** A name without its leading dot, an address, or `*`. */
  readonly host: string;
  /** Length of a network's prefix, in bits. */
  readonly prefix?: number | undefined;
  readonly port?: number | undefined;
}

function exceptions(env: Environment): Exception[] {
  const own = [{ host: "localhost" }, { host: "127.0.0.0", prefix: 8 }, { host: "::1" }];
  const listed = (variable(env, "NO_PROXY") ?? "").split(/[\s,]+/).filter((entry) => entry !== "");
  return [
    ...own,
    ...listed.map((entry): Exception => {
      const [, address, prefix] = /^(.+)\/(\d+)$/.exec(entry) ?? [];
      if (address !== undefined && isIP(address) > 0) return { host: address, prefix: Number(prefix) };
      const [, name = entry, port] = (isIP(entry) === 0 && /^(.+):(\d+)$/.exec(entry)) || [];
      const host = name.replace(/^\*?\./, "").replace(/^\[|\]$/g, "");
      return { host: host.toLowerCase(), port: port === undefined ? undefined : Number(port) };
    }),
  ];
}

function isExcepted(name: string, port: number, all: readonly Exception[]): boolean {
  const asked = name.toLowerCase().replace(/\.$/, "");
  const family = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4");
  return all.some((each) => {
    if (each.port !== undefined && each.port !== port) return false;
    if (each.host === "*" || asked === each.host) return true;
    if (isIP(asked) === 0) return isIP(each.host) === 0 && asked.endsWith(`.${each.host}`);
    if (each.prefix === undefined) return false;
    const network = new BlockList();
    network.addSubnet(each.host, each.prefix, family(each.host));
    return network.check(asked, family(asked));
  });
}

function rangeOf(address: string, prefix: number): string {
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - prefix);
  const first = Math.floor(number / size) * size;
  const text = (value: number) => [24, 16, 8, 0].map((bits) => Math.floor(value / 2 ** bits) % 256).join(".");
  return `${text(first)}-${text(first + size - 1)}`;
}

function withProtocol(proxy: string): string {
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}
