import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Inputs } from "./inputs.ts";
import { messageOf } from "./log.ts";
import { seededRandom } from "./random.ts";
import type { Simulation } from "./simulation.ts";
import type { SiteDatabase } from "./site-database.ts";

export interface ApplicationOptions {
  readonly instanceId: string;
  readonly inputs: Inputs;
  readonly simulation: Simulation;
  readonly database: SiteDatabase;
  /** Calls the service outside. @returns the address from which it was called. @throws Error where there is no way out */
  readonly askOutside: () => Promise<string>;
}

/** Number of requests at once that the server status pretends to have room for. */
const workers = 256;
const longestSleepMilliseconds = 600_000;

/**
 * The sample application, which every server of the sandbox runs.
 *
 * | path | answer |
 * | --- | --- |
 * | `/` | 200; `?sleep=MILLISECONDS` (at most 600,000) holds it back: an open session |
 * | `/health` | 200, or 500 when it simulates `unhealthy` |
 * | `/health/db` | 200 when the database answers, else 503 with the reason |
 * | `/health/outside` | 200 with the address that a service outside saw, else 504 after a second |
 * | `/server-status?auto` | Apache's machine-readable status; BusyWorkers counts the request that asks, as Apache does |
 *
 * Every answer says who gave it: `x-server`, and `x-generation` where the server was told its generation and is
 * not anonymous.
 * @see https://httpd.apache.org/docs/2.4/mod/mod_status.html
 */
export function createApplication({
  instanceId,
  inputs,
  simulation,
  database,
  askOutside,
}: ApplicationOptions): RequestListener {
  const generation = headerValue(inputs.GENERATION ?? "unknown");
  const random = seededRandom(instanceId);
  let accesses = 0;
  let busy = 0;

  return (request, response) => {
    accesses++;
    busy++;
    response.once("close", () => busy--);
    if (inputs.GENERATION !== undefined && !simulation.anonymous) response.setHeader("x-generation", generation);
    response.setHeader("x-server", instanceId);
    request.resume();
    const [path = "", query = ""] = (request.url ?? "/").split("?", 2);
    if (path === "/server-status") {
      answer(response, 200, status(accesses, busy));
      return;
    }
    const milliseconds = simulation.slowMilliseconds + sleepMilliseconds(path, query);
    const respond = async () => answer(response, ...(await reply(request, path)));
    if (milliseconds === 0) void respond();
    else afterDelay(response, milliseconds, respond);
  };

  async function reply(request: IncomingMessage, path: string): Promise<[status: number, body: string]> {
    if (path === "/health") return simulation.unhealthy ? [500, "unhealthy\n"] : [200, "ok\n"];
    if (path === "/health/db") return databaseHealth(database);
    if (path === "/health/outside") return outsideHealth(askOutside);
    if (random() < simulation.errorShare) return [500, "simulated error\n"];
    if (random() < simulation.missingShare) return [404, "simulated: not found\n"];
    if (path === "/") return [200, `${generation} ${inputs.APP_REVISION ?? "unknown"} ${instanceId}\n`];
    return [404, `nothing at ${request.method} ${path}\n`];
  }
}

async function databaseHealth(database: SiteDatabase): Promise<[status: number, body: string]> {
  try {
    await database.ask();
    return [200, "ok\n"];
  } catch (error) {
    return [503, `database down: ${messageOf(error)}\n`];
  }
}

async function outsideHealth(askOutside: () => Promise<string>): Promise<[status: number, body: string]> {
  try {
    return [200, `${await askOutside()}\n`];
  } catch (error) {
    return [504, `no way out: ${messageOf(error)}\n`];
  }
}

function sleepMilliseconds(path: string, query: string): number {
  if (path !== "/") return 0;
  const asked = Number(new URLSearchParams(query).get("sleep"));
  return asked > 0 ? Math.min(asked, longestSleepMilliseconds) : 0;
}

function afterDelay(response: ServerResponse, milliseconds: number, action: () => unknown): void {
  const timer = setTimeout(action, milliseconds);
  response.once("close", () => clearTimeout(timer));
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}

function status(accesses: number, busy: number): string {
  const idle = Math.max(workers - busy, 0);
  return [
    `Total Accesses: ${accesses}`,
    `BusyWorkers: ${busy}`,
    `IdleWorkers: ${idle}`,
    `Scoreboard: ${"W".repeat(Math.min(busy, workers))}${"_".repeat(idle)}`,
    "",
  ].join("\n");
}

/** An input may hold anything; a header may not. */
function headerValue(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}
