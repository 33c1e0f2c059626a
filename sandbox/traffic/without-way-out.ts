import { request } from "undici";
import type { ServedWithoutWayOut } from "../network/public-traffic.ts";
import type { WithoutWayOutReport } from "./report.ts";

/** A phase, and when requests began to belong to it, in milliseconds since the epoch. */
export interface Mark {
  readonly phase: string;
  readonly at: number;
}

export interface WayOutOptions {
  readonly networkUrl: string;
  /** The site's name. Whoever asks for another one is no user, such as a gate that uses the test host name. */
  readonly host: string;
  /** The oldest first; what was served before the first of them is left out. */
  readonly marks: readonly Mark[];
}

/** What the network knows of a site's users whom servers without a way out served; undefined when it does not answer. */
export async function withoutWayOut({
  networkUrl,
  host,
  marks,
}: WayOutOptions): Promise<WithoutWayOutReport | undefined> {
  const since = marks[0]?.at ?? 0;
  let known: readonly ServedWithoutWayOut[];
  try {
    const url = new URL(`/network/without-way-out?since=${since}`, networkUrl);
    known = (await (await request(url, { headersTimeout: 5_000 })).body.json()) as ServedWithoutWayOut[];
  } catch (error) {
    console.error(
      `Whether servers had a way out is not known, so every request counts as served without one: ${error}`,
    );
    return undefined;
  }
  const phaseAt = (moment: number) => marks.findLast(({ at }) => at <= moment)?.phase ?? "";
  const servedWithoutWayOut = known
    .filter((served) => served.host === host.toLowerCase())
    .map(({ instanceId, generation, requests, first, last }) => ({
      ...{ server: instanceId, generation, requests },
      ...{ first: new Date(first).toISOString(), last: new Date(last).toISOString() },
      phases: [...new Set([phaseAt(first), phaseAt(last)])],
    }));
  const requests = servedWithoutWayOut.reduce((sum, served) => sum + served.requests, 0);
  return { withoutWayOut: requests, servedWithoutWayOut };
}
