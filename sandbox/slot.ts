import { createServer } from "node:net";
import { HandoverError } from "../automation/errors.ts";

/**
 * The loopback addresses of one sandbox. Sixteen sandboxes fit beside each other on a machine, so that tests can run
 * in parallel; Linux lets any process bind any address in 127.0.0.0/8.
 */
export interface Slot {
  readonly number: number;
  /** Where the cloud's API listens, `http://127.64.X.1:4566`: the router's address of the VPC's first subnet. */
  readonly cloud: { readonly host: string; readonly port: number; readonly url: string };
  /** Where the network's own control API listens, `http://127.64.X.2:4567`; AWS reserves this address too. */
  readonly network: { readonly host: string; readonly port: number; readonly url: string };
  /** Where a service listens that is outside of the site's network, `http://127.64.X.2:4568`: part of the network's process. */
  readonly outside: { readonly host: string; readonly port: number; readonly url: string };
  /** Where the site's PostgreSQL listens, `127.64.X.3:5432`; AWS reserves this address too. */
  readonly database: { readonly host: string; readonly port: number; readonly url: string };
  /** Where the plugin listens; engines look for it at 127.0.0.1. Below the ports that connections take by themselves. */
  readonly provider: { readonly host: string; readonly port: number };
  /** The VPC that the site creates. */
  readonly cidrBlock: string;
  /** Elastic IPs come from here. */
  readonly addressPool: string;
  /** Load balancers get an address from here, as their DNS name. */
  readonly loadBalancerPool: string;
}

export const slotCount = 16;

export function slot(number: number): Slot {
  const prefix = `127.64.${number * 16}`;
  const endpoint = (host: string, port: number) => ({ host, port, url: `http://${host}:${port}` });
  const database = { host: `${prefix}.3`, port: 5432 };
  return {
    number,
    cloud: endpoint(`${prefix}.1`, 4566),
    network: endpoint(`${prefix}.2`, 4567),
    outside: endpoint(`${prefix}.2`, 4568),
    database: { ...database, url: `postgresql://postgres@${database.host}:${database.port}/postgres` },
    provider: { host: "127.0.0.1", port: 29_000 + number },
    cidrBlock: `${prefix}.0/20`,
    addressPool: `127.${128 + number}.0.0/16`,
    loadBalancerPool: `127.${144 + number}.0.0/16`,
  };
}

/**
 * The first slot that no other sandbox on this machine uses.
 * @throws HandoverError (exit 1) when there is none
 */
export async function freeSlot(): Promise<Slot> {
  for (let number = 0; number < slotCount; number++) {
    const candidate = slot(number);
    const { cloud, network, database, provider } = candidate;
    const free = await Promise.all([cloud, network, database, provider].map(canListen));
    if (!free.includes(false)) return candidate;
  }
  const message = `All ${slotCount} sandboxes that fit on one machine are in use. Nothing was started. End one with: handover sandbox down --name NAME`;
  throw new HandoverError("no-slot", 1, message);
}

function canListen({ host, port }: { readonly host: string; readonly port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
