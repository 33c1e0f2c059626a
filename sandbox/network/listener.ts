import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { groupCookie, stickyCookie, stuckTo, targetCookie } from "./cookies.ts";
import { type Log, messageOf } from "./log.ts";
import { forward, respondInstead } from "./proxy.ts";
import type { Random } from "./random.ts";
import { type CompiledRule, chooseGroup, compileRules, locationOf, matchRule } from "./rules.ts";
import type { FixedResponseAction, ForwardAction, RedirectAction, RuleState } from "./state.ts";
import type { Target, TargetGroup } from "./target-groups.ts";
import { forwardUpgrade, respondOnSocket } from "./websocket.ts";

export interface ListenerOptions {
  /** Time that a client's connection may be idle, in milliseconds. */
  readonly idleMilliseconds: number;
  readonly random: Random;
  readonly group: (arn: string) => TargetGroup | undefined;
  readonly log: Log;
}

type Route =
  | { readonly type: "target"; readonly target: Target; readonly cookies: readonly string[] }
  | { readonly type: "fixed-response"; readonly action: FixedResponseAction }
  | { readonly type: "redirect"; readonly action: RedirectAction }
  | { readonly type: "unavailable"; readonly status: 405 | 503 };

/** One listener of a load balancer: an HTTP server that finds a target for each request. */
export class Listener {
  readonly address: string;
  readonly port: number;
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #upgraded = new Set<Socket>();
  #rules: readonly CompiledRule[] = [];

  constructor(address: string, port: number, options: ListenerOptions) {
    this.address = address;
    this.port = port;
    this.#options = options;
    this.#server = createServer(
      {
        keepAliveTimeout: options.idleMilliseconds,
        requestTimeout: 0,
        shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === "websocket",
      },
      (request, response) => this.#answer(request, response),
    );
    this.#server.on("upgrade", (request, socket: Socket, head) => this.#upgrade(request, socket, head));
  }

  get listening(): boolean {
    return this.#server.listening;
  }

  /** New requests follow the new rules; connections of clients and requests in flight are not touched. */
  setRules(rules: readonly RuleState[]): void {
    this.#rules = compileRules(rules);
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => {
      const failed = (error: Error) => {
        this.#options.log(`the load balancer cannot listen on ${this.address}:${this.port}: ${messageOf(error)}`);
        resolve();
      };
      this.#server.once("error", failed);
      this.#server.listen({ host: this.address, port: this.port, backlog: 1024 }, () => {
        this.#server.off("error", failed);
        resolve();
      });
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const route = this.#route(request);
    switch (route.type) {
      case "target":
        forward(request, response, route.target, this.port, route.cookies);
        break;
      case "fixed-response": {
        const { status, contentType, body } = route.action;
        const length = Buffer.byteLength(body);
        response.writeHead(status, { server: "awselb/2.0", "content-type": contentType, "content-length": length });
        response.end(body);
        break;
      }
      case "redirect": {
        const location = locationOf(route.action, request.headers.host, request.url ?? "/", this.port);
        response.writeHead(route.action.status, { server: "awselb/2.0", location, "content-length": 0 });
        response.end();
        break;
      }
      case "unavailable":
        respondInstead(response, route.status);
        break;
    }
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#upgraded.add(socket);
    socket.once("close", () => this.#upgraded.delete(socket));
    socket.on("error", () => {});
    const route = this.#route(request);
    if (route.type === "target") forwardUpgrade(request, socket, head, route.target, this.port, route.cookies);
    else respondOnSocket(request, socket, route.type === "unavailable" ? route.status : route.action.status);
  }

  #route(request: IncomingMessage): Route {
    if (request.method === "TRACE") return { type: "unavailable", status: 405 };
    const action = matchRule(this.#rules, request.headers.host, request.url ?? "/")?.action;
    if (action === undefined) return { type: "unavailable", status: 503 };
    if (action.type === "forward") return this.#routeToTarget(action, request);
    return action.type === "redirect" ? { type: "redirect", action } : { type: "fixed-response", action };
  }

  #routeToTarget(action: ForwardAction, request: IncomingMessage): Route {
    const { cookie } = request.headers;
    const now = Date.now();
    const arn = chooseGroup(action, stuckTo(cookie, groupCookie, now), this.#options.random);
    const group = arn === undefined ? undefined : this.#options.group(arn);
    const target = group?.choose(stuckTo(cookie, targetCookie, now));
    if (arn === undefined || group === undefined || target === undefined) return { type: "unavailable", status: 503 };
    const cookies: string[] = [];
    if (action.stickinessSeconds > 0) cookies.push(stickyCookie(groupCookie, arn, action.stickinessSeconds, now));
    if (group.stickinessSeconds > 0) cookies.push(stickyCookie(targetCookie, target.key, group.stickinessSeconds, now));
    return { type: "target", target, cookies };
  }
}
