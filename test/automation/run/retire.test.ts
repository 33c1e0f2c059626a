import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { RunEvent } from "../../../automation/documents/events.ts";
import type { Plan } from "../../../automation/engine/plan.ts";
import type { Position } from "../../../automation/engine/position.ts";
import { ApprovalNeeded } from "../../../automation/run/approval-needed.ts";
import type { OpenStack } from "../../../automation/run/open-stack.ts";
import { RunLedger } from "../../../automation/run/run-ledger.ts";
import { Walker } from "../../../automation/run/walker.ts";
import { intent } from "../../../stacks/intent.ts";
import type { Outputs } from "../../../stacks/outputs.ts";
import { isIntentRow } from "../../../stacks/runbook.ts";
import { configOf } from "../config.ts";

const identity = { id: "r1", from: "blue", to: "green" };

/** Two old servers on loopback addresses of their own, which report this many sessions. */
class OldSite {
  readonly sessions: Record<string, number> = { "blue-1": 0, "blue-2": 0 };
  readonly events: RunEvent[] = [];
  /** What the engine was asked to apply, in its order. */
  readonly applied: (readonly string[] | undefined)[] = [];
  /** What it was asked to plan. */
  readonly planned: (readonly string[] | undefined)[] = [];
  readonly #servers: Server[] = [];
  readonly #stop = new AbortController();
  #port = 0;

  async start(): Promise<void> {
    for (const [name, address] of Object.entries({ "blue-1": "127.0.0.11", "blue-2": "127.0.0.12" })) {
      const server = createServer((_, response) => response.end(`{"active":${this.sessions[name]}}`));
      server.listen(this.#port, address);
      await once(server, "listening");
      this.#port = (server.address() as AddressInfo).port;
      this.#servers.push(server);
    }
  }

  /** Nothing of a test outlives it, however it ended: what it waits for is given up. */
  stop(): void {
    this.#stop.abort();
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  walker(sessions: object): Walker {
    const { config, shape } = configOf({ upgrade: { sessions: { path: "/status", json: "active", ...sessions } } });
    const outputsAt = ({ phase = "drain", run }: Position): Outputs => {
      if (!isIntentRow(phase)) throw new Error(phase);
      const { generations, live } = intent(shape, "blue", "green", phase, undefined, run?.left);
      const describe = ([name, { frontends, registered, left }]: [string, (typeof generations)[string]]) => {
        const servers = Array.from({ length: frontends }, (_, index) => ({
          name: `${name}-${index + 1}`,
          instanceId: `i-${name}-${index + 1}`,
          privateIp: `127.0.0.1${index + 1}`,
        }));
        const existing = servers.filter((server) => left?.includes(server.name) ?? true);
        const outputs = { targetGroupArn: name, port: this.#port, weight: 0, registered, frontends: existing };
        return [name, outputs] as const;
      };
      return {
        live,
        run: null,
        hostname: "www.example.com",
        loadBalancer: { arn: "arn:lb", port: 80 },
        addresses: [],
        generations: Object.fromEntries(Object.entries(generations).map(describe)),
      } as unknown as Outputs;
    };
    const positions = new Map<string, Position>();
    const engine = {
      preview: async (position: Position): Promise<Plan> => {
        const file = String(positions.size);
        this.planned.push(position.run?.left);
        positions.set(file, position);
        // As the engine's, it does not depend on who ends first.
        return { file, operations: [], inputs: [], declaration: "", digest: `plan of ${position.phase}`, seconds: 0 };
      },
      up: async ({ file = "" }: Plan) => {
        const position = positions.get(file) ?? {};
        this.applied.push(position.run?.left);
        return { outputs: outputsAt(position), operations: [], seconds: 0, cloudSeconds: 0, late: [] };
      },
    };
    const healthy = new Map(["i-green-1", "i-green-2"].map((id) => [id, { TargetHealth: { State: "healthy" } }]));
    const aws = {
      absentSeconds: 0,
      targetHealth: async (name: string) => (name === "green" ? healthy : new Map()),
      instanceStatuses: async (ids: readonly string[]) =>
        new Map(ids.map((id) => [id, { InstanceState: { Name: "terminated" } }])),
      waysIn: async () => [],
      credentialsEnd: async () => undefined,
    };
    const last = { outputs: outputsAt({ phase: "observe" }), definitions: {} };
    const opened = { stack: "test", config, shape, engine, aws, last, secrets: new Set() } as unknown as OpenStack;
    const { signal } = this.#stop;
    const signals = { stop: signal, cancel: signal };
    const listener = (event: RunEvent) => void this.events.push(event);
    const ledger = new RunLedger(new Set(), listener);
    return new Walker({ opened, ledger, options: { command: "", listener, signals } }, identity);
  }
}

const quick = { quietSeconds: 0, limitSeconds: 1 };

describe("retiring old servers", () => {
  let site: OldSite;
  beforeEach(async () => {
    site = new OldSite();
    await site.start();
  });
  afterEach(() => site.stop());

  /** Drains and retires, as a run does at its end. */
  async function finish(sessions: object, approved: string[] = []): Promise<void> {
    const walker = site.walker(sessions);
    const isApproved = (digest: string) => approved.includes(digest);
    await walker.phase("drain", { next: "retire", isApproved });
    await walker.phase("retire", { isApproved });
  }
  async function appliedTwice(): Promise<void> {
    const { signal } = site;
    while (site.applied.length < 2 && !signal.aborted) await new Promise(setImmediate);
  }
  const digestOf = (finished: Promise<void>) =>
    finished.then(
      () => assert.fail("nobody was asked"),
      (error) => (error instanceof ApprovalNeeded ? error : assert.fail(error)),
    );

  it("is one update when all are quiet", async () => {
    await finish(quick);
    assert.deepEqual(site.applied, [undefined, undefined]);
  });

  it("begins with those that are quiet, and waits for the others", async () => {
    site.sessions["blue-2"] = 1;
    const finished = finish({ ...quick, limitSeconds: 3600 });
    await Promise.race([finished, appliedTwice()]);
    site.sessions["blue-2"] = 0;
    await finished;
    assert.deepEqual(site.applied, [undefined, ["blue-2"], undefined]);
  });

  it("asks a person about one that is not quiet in time, after the others are gone, and goes on when approved", async () => {
    site.sessions["blue-1"] = 3;
    const { digest, message } = await digestOf(finish(quick));
    assert.match(message, /^retire waits for approval, since sessions have not ended on blue-1$/);
    assert.deepEqual(site.applied, [undefined, ["blue-1"]]);
    const verdicts = site.events.flatMap((event) => (event.type === "gate" ? [`${event.gate}: ${event.verdict}`] : []));
    assert.ok(verdicts.includes("sessions ended: blue-1: inconclusive"), verdicts.join("\n"));
    await finish(quick, [digest]);
    assert.deepEqual(site.applied.slice(2), [undefined, undefined]);
  });

  it("asks while the old servers can still come back when none of them is quiet in time", async () => {
    Object.assign(site.sessions, { "blue-1": 1, "blue-2": 1 });
    const { message } = await digestOf(finish(quick));
    assert.match(message, /^drain waits for approval, since sessions have not ended on blue-1, blue-2$/);
    assert.deepEqual(site.applied, [undefined]);
  });

  it("asks once for the phase where a person must approve it, with the plan as a whole", async () => {
    site.sessions["blue-2"] = 1;
    const approved: string[] = [];
    const needsApproval = ({ digest }: { readonly digest: string }) => !approved.includes(digest);
    const isApproved = (digest: string) => approved.includes(digest);
    const retire = async () => {
      const walker = site.walker(quick);
      await walker.phase("drain", { next: "retire", isApproved });
      await walker.phase("retire", { needsApproval, isApproved });
    };
    const asked = await digestOf(retire());
    assert.equal(asked.message, "retire waits for approval");
    assert.deepEqual(site.planned.slice(-2), [["blue-2"], undefined]);
    assert.deepEqual(site.applied, [undefined]);
    approved.push(asked.digest);
    const { digest, message } = await digestOf(retire());
    assert.match(message, /^retire waits for approval, since sessions have not ended on blue-2$/);
    assert.deepEqual(site.applied.slice(1), [undefined, ["blue-2"]]);
    approved.push(digest);
    await retire();
    assert.deepEqual(site.applied.slice(3), [undefined, undefined]);
  });

  it("ends a server with its sessions at the limit where that is the configuration's word", async () => {
    Object.assign(site.sessions, { "blue-1": 1, "blue-2": 1 });
    await finish({ ...quick, onLimit: "terminate" });
    assert.deepEqual(site.applied, [undefined, undefined]);
  });
});
