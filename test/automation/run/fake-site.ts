import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { accessTo } from "../../../automation/cloud/access.ts";
import type { Aws } from "../../../automation/cloud/aws.ts";
import type { CloudWatch } from "../../../automation/cloud/cloudwatch.ts";
import type { ElasticIps } from "../../../automation/cloud/elastic-ips.ts";
import type { Launches } from "../../../automation/cloud/launches.ts";
import type { Quotas } from "../../../automation/cloud/quotas.ts";
import type { Snapshots } from "../../../automation/cloud/snapshots.ts";
import type { WaysOut } from "../../../automation/cloud/ways-out.ts";
import type { RunEvent } from "../../../automation/documents/events.ts";
import type { Applied, Engine } from "../../../automation/engine/engine.ts";
import type { Operation } from "../../../automation/engine/operation.ts";
import type { Plan } from "../../../automation/engine/plan.ts";
import type { Position } from "../../../automation/engine/position.ts";
import type { State } from "../../../automation/engine/state.ts";
import { HandoverError } from "../../../automation/errors.ts";
import type { LedgerEvent } from "../../../automation/ledger/events.ts";
import type { Journal } from "../../../automation/ledger/journal.ts";
import type { Drive, DriveOptions } from "../../../automation/run/drive.ts";
import type { OpenStack } from "../../../automation/run/open-stack.ts";
import { RunLedger } from "../../../automation/run/run-ledger.ts";
import { allAtOnce, type Intent, intent, settled, shapeOf } from "../../../stacks/intent.ts";
import { types } from "../../../stacks/names.ts";
import type { Outputs } from "../../../stacks/outputs.ts";
import { isIntentRow } from "../../../stacks/runbook.ts";
import { siteName } from "../../../stacks/tags.ts";
import { configOf } from "../config.ts";

/** A site whose engine applies intents at once, and whose cloud shows them: what a driver needs, without either. */
export class FakeSite {
  readonly #server: Server;
  readonly #shape;
  readonly config;
  /** What is applied. */
  intent: Intent;
  #run: Outputs["run"] = null;
  /** Rows that were applied, as the engine was told them; `settle` has none. */
  readonly applied: string[] = [];
  readonly ledger: LedgerEvent[] = [];
  readonly told: RunEvent[] = [];
  /** Called before a plan is applied; what it throws is the engine's error. */
  beforeUp: (row: string) => void = () => {};
  /** Which events cannot be written down. */
  isLost: (event: LedgerEvent) => boolean = () => false;
  /** What a plan would do. */
  operationsOf: (row: string) => readonly Operation[] = () => [];
  /** Generations of which nothing answers. */
  readonly down = new Set<string>();
  /** Alarms that ring. */
  readonly ringing = new Set<string>();
  /** Generations with a server that is not healthy. */
  readonly sick = new Set<string>();
  /** Ids of servers that somebody ended; the next update launches them anew. */
  readonly ended = new Set<string>();
  /** Ids of servers that somebody stopped. */
  readonly stopped = new Set<string>();
  /** Ids of servers that cannot call the Internet without an Elastic IP. */
  readonly shut = new Set<string>();
  /** Servers by the addresses that somebody moved to them, or to none; the next update puts them back, if the state knows. */
  readonly moved = new Map<string, string>();
  /** Somebody moves them again and again. */
  isKept = false;
  readonly #movedBack = new Set<string>();
  /** Ids of servers that somebody deregistered; the next update registers them again, if the state knows. */
  readonly deregistered = new Set<string>();
  /** Names of what was read from AWS into the state. */
  readonly read: string[] = [];
  /** Somebody deleted the rule of the test host name; the next update creates it, if the state knows. */
  ruleIsGone = false;
  /** Whoever answers for a test host name without a rule says who it is. */
  signs = false;
  /** AWS launches nothing anew for what is missing. */
  noRoom = false;
  /** Names of servers that the state has forgotten, and that no update has launched since. */
  readonly #forgotten = new Set<string>();
  #ruleIsForgotten = false;
  /** How often what a dead engine left was put in order. */
  mended = 0;
  /** Ways to the old servers that were made by hand. */
  otherWays: string[] = [];
  /** AWS cannot be reached. */
  unreachable = false;
  /** When the driver's credentials end; undefined where they do not. */
  credentialsEnd: Date | undefined;

  private constructor(server: Server, upgrade: object) {
    this.#server = server;
    const { config, shape } = configOf({
      live: "green",
      upgrade: { comparison: { enabled: false }, probe: { enabled: false }, ...upgrade },
    });
    // No gate waits: what is shown does not change by itself.
    this.config = {
      ...config,
      upgrade: {
        ...config.upgrade,
        gateSeconds: 0,
        stepSeconds: 0,
        bakeSeconds: 0,
        stableSeconds: 0,
        propagationSeconds: 0,
      },
    };
    this.#shape = shape;
    this.intent = settled(shape, "blue");
  }

  static async open(upgrade: object = {}): Promise<FakeSite> {
    const server = createServer(({ headers: { host } }, response) => {
      response.writeHead(site.#statusFor(host), site.#signatureFor(host)).end("ok");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const site = new FakeSite(server, upgrade);
    return site;
  }

  close(): void {
    this.#server.close();
  }

  /** Whoever has the most traffic answers for the public name, on every address, and for a test host name without a rule. */
  #statusFor(host: string | undefined): number {
    const isTest = host === this.config.site.testHostname && !this.ruleIsGone;
    return this.down.has(isTest ? this.intent.testTarget : this.#busiest) ? 502 : 200;
  }

  #signatureFor(host: string | undefined): Record<string, string> {
    const isPublic = host === this.config.site.testHostname && this.ruleIsGone;
    return isPublic && this.signs ? { "x-generation": this.#busiest } : {};
  }

  get #busiest(): string {
    return Object.entries(this.intent.weights).toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? "";
  }

  /** The stack as it is before and after a run. */
  get settled(): Intent {
    return settled(this.#shape, "blue");
  }

  drive(options: Partial<DriveOptions> = {}): Drive {
    const never = new AbortController().signal;
    const append = async (event: LedgerEvent) => {
      if (this.isLost(event)) throw new Error(`${event.type} was lost`);
      this.ledger.push(event);
    };
    const listener = (event: RunEvent) => void this.told.push(event);
    return {
      opened: this.#opened(),
      ledger: new RunLedger(new Set(), listener, { journal: { append } as unknown as Journal }),
      options: {
        command: "handover upgrade",
        listener,
        signals: { stop: never, cancel: never },
        ...options,
      },
    };
  }

  #opened(): OpenStack {
    return {
      stack: "fake",
      site: "handover-fake",
      region: "us-east-1",
      access: accessTo("us-east-1"),
      config: this.config,
      shape: this.#shape,
      engine: this.#engine as unknown as Engine,
      aws: this.#aws as unknown as Aws,
      manager: undefined as never,
      last: { outputs: this.#outputs(), definitions: {} },
      secrets: new Set(),
      close() {},
    };
  }

  readonly #engine: Pick<Engine, "account" | "preview" | "up" | "unlock" | "refresh"> & {
    readonly state: Pick<State, "interrupted" | "export">;
  } = {
    state: { interrupted: false, export: async () => ({ resources: [...this.#instances(), ...this.#associations()] }) },
    account: async () => "123456789012",
    unlock: async () => void this.mended++,
    refresh: async (urns) => {
      const names = urns.map((urn) => urn.split("::").at(-1) ?? "");
      this.read.push(...names);
      for (const name of names) {
        if (this.deregistered.delete(`i-${name}`)) continue;
        if (this.moved.has(name)) this.#movedBack.add(name);
        else this.#forgotten.add(name);
      }
      this.#ruleIsForgotten = this.ruleIsGone;
    },
    preview: async (position) => this.#plan(position),
    up: async ({ file = "" }) => this.#apply(JSON.parse(file)),
  };

  readonly #aws: Pick<
    Aws,
    | "absentSeconds"
    | "waysIn"
    | "testHostProblems"
    | "hasTestRule"
    | "image"
    | "architecturesOf"
    | "targetHealth"
    | "instanceStatuses"
    | "addressHolders"
    | "identity"
    | "credentialsEnd"
    | "findCreated"
  > & {
    readonly cloudWatch: Pick<CloudWatch, "alarmStates">;
    readonly snapshots: Pick<Snapshots, "find" | "sizeOf">;
    readonly elasticIps: Pick<ElasticIps, "allocated">;
    readonly launches: Pick<Launches, "ordinaryZones" | "zonesOffering">;
    readonly quotas: Pick<Quotas, "limit">;
    readonly waysOut: Pick<WaysOut, "ofServers">;
  } = {
    absentSeconds: 0,
    cloudWatch: {
      alarmStates: async (names) => new Map(names.map((name) => [name, this.ringing.has(name) ? "ALARM" : "OK"])),
    },
    waysOut: {
      ofServers: async (ids) => {
        this.#reach();
        const holders = new Set(
          this.intent.addresses.map(({ generation, frontend }) => `i-${generation}-${frontend + 1}`),
        );
        const isOpen = (id: string) => holders.has(id) || !this.shut.has(id);
        const way = { subnetId: "subnet-1", byRoutes: "public address", publicIp: undefined } as const;
        return new Map(ids.map((id) => [id, { ...way, isOpen: isOpen(id) }]));
      },
    },
    elasticIps: { allocated: async () => ({ counted: 0, ofSite: 0 }) },
    quotas: { limit: async () => undefined },
    launches: { ordinaryZones: async () => ["us-east-1a", "us-east-1b"], zonesOffering: async () => undefined },
    waysIn: async () => this.#seen(this.otherWays),
    testHostProblems: async () => this.#seen(this.ruleIsGone ? ["no rule"] : []),
    hasTestRule: async () => this.#seen(!this.ruleIsGone),
    identity: async () => {
      this.#reach();
      return { account: "123456789012", arn: "arn" };
    },
    credentialsEnd: async () => this.credentialsEnd,
    findCreated: async () => [],
    image: async () => ({ Architecture: "x86_64" }),
    architecturesOf: async () => ["x86_64"],
    targetHealth: async (name) => {
      this.#reach();
      const state = this.sick.has(name) || this.down.has(name) ? "unhealthy" : "healthy";
      const registered = this.intent.generations[name]?.registered === true;
      const servers = registered ? this.#serversOf(name) : [];
      const targets = servers.filter(({ instanceId }) => !this.deregistered.has(instanceId));
      return new Map(targets.map(({ instanceId }) => [instanceId, { TargetHealth: { State: state } }]));
    },
    instanceStatuses: async (ids) => {
      this.#reach();
      const there = Object.keys(this.intent.generations).flatMap((name) => this.#serversOf(name));
      const ok = { Status: "ok" } as const;
      const nameOf = (id: string) => {
        if (this.stopped.has(id)) return "stopped";
        return there.some(({ instanceId }) => instanceId === id) ? "running" : "terminated";
      };
      const known = ids.filter((id) => !this.ended.has(id));
      return new Map(
        known.map((id) => [id, { InstanceState: { Name: nameOf(id) }, InstanceStatus: ok, SystemStatus: ok }]),
      );
    },
    addressHolders: async () => {
      this.#reach();
      return new Map([
        ...this.#outputs().addresses.map(({ allocationId, instanceId }) => [allocationId, instanceId] as const),
        ...this.moved,
      ]);
    },
    snapshots: {
      find: async ({ kind, id }) => ({
        kind,
        id,
        state: "completed",
        sizeGigabytes: 8,
        startedAt: new Date(0),
        tags: { "handover:site": siteName("fake") },
      }),
      sizeOf: async () => 8,
    },
  };

  #seen<T>(seen: T): T {
    this.#reach();
    return seen;
  }

  #reach(): void {
    if (this.unreachable) throw Object.assign(new Error("no route to AWS"), { code: "EHOSTUNREACH" });
  }

  #plan(position: Position): Plan {
    const row = position.phase ?? "settle";
    const digest = `${row} ${position.step ?? ""}`;
    return {
      file: JSON.stringify(position),
      operations: this.operationsOf(row),
      inputs: [],
      declaration: "",
      digest,
      seconds: 0,
    };
  }

  #instances() {
    return Object.keys(this.intent.generations)
      .flatMap((name) => this.#serversOf(name))
      .filter(({ name }) => !this.#forgotten.has(name))
      .map(({ name, instanceId: id }) => ({ urn: `urn:pulumi:fake::handover::${name}`, type: types.instance, id }));
  }

  #associations() {
    return this.#outputs().addresses.map(({ allocationId }) => ({
      urn: `urn:pulumi:fake::handover::${allocationId}`,
      type: types.eipAssociation,
      inputs: { allocationId },
    }));
  }

  #apply({ phase, step, run }: Position): Applied {
    const row = phase ?? "settle";
    this.beforeUp(row);
    const { id = "", from = "blue", to = "green", atOnce } = run ?? {};
    if (!this.isKept) for (const id of this.#movedBack) this.moved.delete(id);
    if (this.#ruleIsForgotten) this.ruleIsGone = false;
    const isWanted = (name: string) => run?.left?.includes(name) ?? true;
    const goes = (name: string) => phase === undefined && !name.startsWith(from);
    if (this.noRoom && [...this.#forgotten].some((name) => isWanted(name) && !goes(name)))
      throw new HandoverError("update-failed", 4, "The update failed. InsufficientInstanceCapacity");
    if (run?.left === undefined && phase !== undefined) this.#forgotten.clear();
    this.applied.push(row);
    this.ended.clear();
    const shape = atOnce ? shapeOf(allAtOnce(this.config)) : this.#shape;
    this.intent =
      phase !== undefined && isIntentRow(phase)
        ? intent(shape, from, to, phase, step, run?.left, run?.short)
        : settled(this.#shape, from);
    this.#run = this.intent.snapshot ? { id, from, to, phase: row, step: step ?? null } : null;
    return { outputs: this.#outputs(), operations: [], seconds: 0, cloudSeconds: 0, late: [] };
  }

  #outputs(): Outputs {
    const { port } = this.#server.address() as AddressInfo;
    const address = "127.0.0.1";
    return {
      live: this.intent.live,
      run: this.#run,
      hostname: this.config.site.hostname,
      testHostname: this.config.site.testHostname,
      loadBalancer: { arn: "arn", dnsName: address, port, protocol: "http" },
      addresses: this.intent.addresses.map(({ generation, frontend }, index) => ({
        publicIp: address,
        allocationId: `eipalloc-${index + 1}`,
        instanceId: `i-${generation}-${frontend + 1}`,
      })),
      generations: Object.fromEntries(
        Object.entries(this.intent.generations).map(([name, { registered }]) => [
          name,
          {
            targetGroupArn: name,
            port,
            weight: this.intent.weights[name] ?? 0,
            registered,
            frontends: this.#serversOf(name),
          },
        ]),
      ),
      snapshot: this.intent.snapshot ? { kind: "ebs", id: "snap-1" } : null,
      ledgerTable: "handover-fake",
    };
  }

  #serversOf(name: string) {
    const { frontends = 0, left } = this.intent.generations[name] ?? {};
    const all = Array.from({ length: frontends }, (_, index) => ({
      name: `${name}-${index + 1}`,
      instanceId: `i-${name}-${index + 1}`,
      privateIp: "127.0.0.1",
    }));
    return all.filter((server) => left?.includes(server.name) ?? true);
  }
}
