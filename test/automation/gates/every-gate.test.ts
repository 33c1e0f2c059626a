import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { AddressGap } from "../../../automation/gates/address-gap.ts";
import { addressesHeld } from "../../../automation/gates/addresses.ts";
import { noAlarm } from "../../../automation/gates/alarms.ts";
import {
  arrayCarriedOver,
  arrayInService,
  arrayServersGone,
  arrayServes,
  processesSuspended,
} from "../../../automation/gates/array.ts";
import { commandPasses } from "../../../automation/gates/command.ts";
import { Comparison } from "../../../automation/gates/comparison.ts";
import { documentSucceeds } from "../../../automation/gates/document.ts";
import { type Gate, hold } from "../../../automation/gates/gate.ts";
import { instancesGone, instancesOk } from "../../../automation/gates/instances.ts";
import { fewMatches } from "../../../automation/gates/logs.ts";
import { metricWithin } from "../../../automation/gates/metrics.ts";
import { Probes } from "../../../automation/gates/probes.ts";
import { WeightsEverywhere } from "../../../automation/gates/propagation.ts";
import { sessionsEnded, sessionsEndedOnAll } from "../../../automation/gates/sessions.ts";
import { smoke } from "../../../automation/gates/smoke.ts";
import { snapshotCompleted } from "../../../automation/gates/snapshot.ts";
import { targetsDrained, targetsHealthy } from "../../../automation/gates/targets.ts";
import { volumesStay } from "../../../automation/gates/volumes.ts";
import { noOtherWayIn, testHostAlone } from "../../../automation/gates/ways-in.ts";
import { waysOut } from "../../../automation/gates/ways-out.ts";
import { SimulatedBalancer } from "../../../sandbox/bench/simulated-balancer.ts";
import { arraySchema } from "../../../stacks/config/array-schema.ts";
import { httpCheckOf, sessionsSchema } from "../../../stacks/config/checks.ts";
import { comparisonSchema, metricSchema, probeSchema } from "../../../stacks/config/watch-schema.ts";
import { eventually } from "../../eventually.ts";
import { arrays, server, statuses, targets, telling, type World } from "./worlds.ts";

const { signal } = new AbortController();

/** What a gate comes to in each, once its time is over. */
interface Row {
  readonly bad: "fail" | "inconclusive";
  /** Whose time limit it has: one of its own, in its configuration, or that of all gates, `gateSeconds`. */
  readonly limit: "own" | "gateSeconds";
  /** With a time limit of 0 where it has its own. */
  readonly gate: (world: World) => Gate;
}

const array = { name: "a-1", intent: "active" } as const;
/** What gates ask is only part of what they are given. */
// biome-ignore lint/suspicious/noExplicitAny: a fake of each service's part
const as = (part: object): any => part;
const site = as({
  loadBalancer: { arn: "arn:lb", port: 80 },
  addresses: [],
  generations: { blue: { frontends: [server], targetGroupArn: "arn:blue", port: 8080 } },
});
const sessions = sessionsSchema.parse({ path: "/", json: "active", quietSeconds: 0, limitSeconds: 0 });
const groups = [{ entry: undefined, targetGroupArn: "t", servers: [server] }];
const active = (world: World) => telling(world, { active: 0, quietSeconds: 0 }, { active: 3 });

let page: Server;

const rows: Readonly<Record<string, Row>> = {
  WeightsEverywhere: {
    bad: "inconclusive",
    limit: "own",
    gate: (world) =>
      new WeightsEverywhere(
        {
          question: { name: "lb", protocol: "http", port: 80, host: "www.example.com", path: "/" },
          servers: [undefined, undefined],
          without: "blue",
          targetGroupArns: ["arn:blue", "arn:green"],
          staleShare: 99.9,
          propagationSeconds: 0,
          periodSeconds: 0,
        },
        {
          addressesOf: telling(world, ["192.0.2.1"], ["192.0.2.1"]),
          metrics: { requests: async () => [] },
          ask: async () => ({
            status: 200,
            body: "",
            headers: { "x-generation": world === "good" ? "green" : "blue" },
          }),
        },
      ),
  },
  AddressGap: {
    bad: "fail",
    limit: "own",
    gate: (world) => {
      const question = { protocol: "http", address: "a", port: 80, host: "www.example.com", path: "/" } as const;
      const answer = { status: 200, headers: {}, body: "" };
      let now = 0;
      let asked = 0;
      const means = {
        ask: async () => {
          asked++;
          return telling(world, answer, answer)();
        },
        clock: () => {
          now += world === "bad" ? 1000 : 0;
          return now;
        },
      };
      const rules = { intervalMilliseconds: 5, maxGapMilliseconds: 500 };
      const gap = new AddressGap([{ publicIp: "a", question }], rules, undefined, means);
      const observe = async () => {
        gap.begin();
        await eventually(async () => asked > 1);
        gap.end();
        return gap.observe();
      };
      return { name: gap.name, patienceSeconds: 0, observe };
    },
  },
  addressesHeld: {
    bad: "fail",
    limit: "gateSeconds",
    gate: (world) =>
      addressesHeld(as({ addressHolders: telling(world, new Map([["e-1", "i-1"]]), new Map([["e-1", "i-0"]])) }), [
        { publicIp: "198.51.100.1", allocationId: "e-1", instanceId: "i-1" },
      ]),
  },
  noAlarm: {
    bad: "fail",
    limit: "own",
    gate: (world) =>
      noAlarm({ alarmStates: telling(world, new Map([["a", "OK"]]), new Map([["a", "ALARM"]])) }, ["a"], 0),
  },
  arrayInService: {
    bad: "fail",
    limit: "gateSeconds",
    gate: (world) => arrayInService(as(arrays(world)), "green", array, groups),
  },
  arrayServes: {
    bad: "fail",
    limit: "gateSeconds",
    gate: (world) => arrayServes(as(arrays(world)), "green", array, groups),
  },
  processesSuspended: {
    bad: "fail",
    limit: "gateSeconds",
    gate: (world) => processesSuspended(as(arrays(world)), "green", array, { all: ["Launch"] }),
  },
  arrayCarriedOver: {
    bad: "inconclusive",
    limit: "own",
    gate: (world) => {
      const declared = arraySchema.parse({ minSize: 0, maxSize: 1 });
      const carried = { generation: "blue", array, declared: [declared, declared] as const };
      return arrayCarriedOver(as(arrays(world)), carried, { gateSeconds: 0, arrayMayLose: [] });
    },
  },
  arrayServersGone: {
    bad: "inconclusive",
    limit: "gateSeconds",
    gate: (world) => arrayServersGone(as(arrays(world)), ["a-1"], 0),
  },
  commandPasses: {
    bad: "fail",
    limit: "gateSeconds",
    gate: (world) => {
      const command = [process.execPath, "-e", "process.exit(Number(process.env.CODE))"];
      const environment = telling(world, { CODE: "0" }, { CODE: "1" });
      return commandPasses({ command, timeoutSeconds: 30 }, { environment, redact: String });
    },
  },
  Comparison: {
    bad: "fail",
    limit: "own",
    gate: (world) => {
      const balancer = new SimulatedBalancer(1);
      const times = [0, 180_000];
      const usual = { requestsPerSecond: 50, errorShare: 0, medianMilliseconds: 50, slowMilliseconds: 0 };
      balancer.serve("blue", { start: 0, end: 60_000 }, 60, usual);
      balancer.serve("green", { start: 0, end: 60_000 }, 60, world === "bad" ? { ...usual, errorShare: 0.5 } : usual);
      const metrics = world === "blind" ? { metricData: telling(world, new Map(), new Map()) } : balancer;
      const sides = {
        next: { name: "green", targetGroupArn: "green", weight: 50 },
        old: { name: "blue", targetGroupArn: "blue", weight: 50 },
        loadBalancerArn: "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/www/1",
      };
      const settings = { ...comparisonSchema.parse({}), patienceSeconds: 0 };
      const gate = new Comparison(metrics, sides, settings, () => times.shift() ?? 180_000);
      return Object.assign(gate, { patienceSeconds: 0 });
    },
  },
  Probes: {
    bad: "fail",
    limit: "own",
    gate: (world) => {
      const place = (name: string) => ({
        name,
        question: { protocol: "http", address: name, port: 8080, host: "www.example.com" } as const,
      });
      const none = { next: [], old: [] };
      const servers = { next: [place("green")], old: [place("blue")] };
      const checks = [httpCheckOf({ path: "/" })];
      const { slow, confidence, minRequests } = comparisonSchema.parse({});
      const rules = { ...probeSchema.parse({ perSecond: 100 }), patienceSeconds: 0, slow, confidence, minRequests };
      return new Probes(
        { next: "green", old: "blue", servers, balancer: none, addresses: none, uncounted: true, checks },
        rules,
        async ({ address }) => {
          if (world === "blind") throw Object.assign(new Error("no route"), { code: "EHOSTUNREACH" });
          const status = world === "bad" && address === "green" ? 500 : 200;
          return { status, seconds: 0, headers: {}, body: "" };
        },
      );
    },
  },
  documentSucceeds: {
    bad: "fail",
    limit: "gateSeconds",
    gate: (world) => {
      const end = (status: string) => new Map([["i-1", { status, exitCode: 0, output: "" }]]);
      const run = telling(world, end("Success"), end("TimedOut"));
      const check = { ssm: { document: "AWS-RunShellScript", parameters: {} }, timeoutSeconds: 30 };
      return documentSucceeds({ run }, check, async () => [server], String);
    },
  },
  instancesOk: {
    bad: "fail",
    limit: "gateSeconds",
    gate: (world) => instancesOk(as({ instanceStatuses: statuses(world).running }), [server]),
  },
  instancesGone: {
    bad: "inconclusive",
    limit: "gateSeconds",
    gate: (world) => instancesGone(as({ instanceStatuses: statuses(world).gone }), [server]),
  },
  noOtherWayIn: {
    bad: "inconclusive",
    limit: "own",
    gate: (world) => noOtherWayIn(as({ waysIn: telling(world, [], ["rule 10"]) }), site, "blue", 0),
  },
  testHostAlone: {
    bad: "inconclusive",
    limit: "own",
    gate: (world) => testHostAlone(as({ testHostProblems: telling(world, [], ["rule 10"]) }), site, 0),
  },
  volumesStay: {
    bad: "inconclusive",
    limit: "gateSeconds",
    gate: (world) => {
      const volume = { volumeId: "vol-1", device: "/dev/sdf", instanceId: "i-1" };
      const stays = [{ ...volume, endsWithServer: false }];
      const beside = telling(world, stays, [{ ...volume, endsWithServer: true }]);
      return volumesStay(as({ volumes: { beside } }), async () => [server]);
    },
  },
  waysOut: {
    bad: "fail",
    limit: "gateSeconds",
    gate: (world) => {
      const way = { subnetId: "subnet-1", byRoutes: "public address", publicIp: "198.51.100.7", isOpen: true } as const;
      const ways = (isOpen: boolean) => new Map([[server.instanceId, { ...way, isOpen }]]);
      return waysOut(as({ waysOut: { ofServers: telling(world, ways(true), ways(false)) } }), [server]);
    },
  },
  fewMatches: {
    bad: "fail",
    limit: "own",
    gate: (world) => {
      const events = (count: number) => ({
        events: Array(count).fill({ stream: "i-1", message: "ERROR" }),
        more: false,
      });
      const writers = (id: string) => ({ instanceIds: async () => [id], weight: 50 });
      const since = telling(world, events(0), events(9));
      const logEvents = async (_group: string, _pattern: string, { start }: { start: number }) =>
        start < 3_600_000 ? events(0) : since();
      const log = { group: "/www/error", pattern: "ERROR", atMost: 1 };
      return fewMatches({ logEvents }, log, { next: writers("i-1"), old: writers("i-0") }, 0, () => 3_600_000);
    },
  },
  metricWithin: {
    bad: "fail",
    limit: "own",
    gate: (world) => {
      const times = [0, 180_000];
      const value = (number: number) => new Map([["errors", new Map([[0, number]])]]);
      const errors = { namespace: "Shop", metricName: "Errors" };
      const metric = metricSchema.parse({ name: "errors", cloudWatch: { metrics: { errors } }, atMost: 1 });
      const metricData = telling(world, value(0), value(2));
      return metricWithin({ metricData }, metric, {}, 0, () => times.shift() ?? 180_000);
    },
  },
  sessionsEnded: {
    bad: "inconclusive",
    limit: "own",
    gate: (world) => sessionsEnded(server, sessions, active(world)),
  },
  sessionsEndedOnAll: {
    bad: "inconclusive",
    limit: "own",
    gate: (world) => {
      const gateOf = () => sessionsEnded(server, sessions, active(world));
      return sessionsEndedOnAll("blue array", sessions, async () => [server], gateOf);
    },
  },
  smoke: {
    bad: "fail",
    limit: "gateSeconds",
    gate: (world) => {
      const { port } = page.address() as AddressInfo;
      const question = { protocol: "http", address: "127.0.0.1", port, host: "www.example.com" } as const;
      const check = httpCheckOf({ path: "/", expectStatus: world === "good" ? 200 : 204 });
      const answered = smoke("smoke", [{ name: "green-1", question }], [check]);
      if (world !== "blind") return answered;
      // Private addresses, from outside the VPC: what the load balancer says holds instead, if it can be asked.
      const unreachable = { ...question, address: "127.255.255.255" };
      const standIn: Gate = { name: "healthy", observe: telling(world, as({}), as({})) };
      return smoke("smoke", [{ name: "green-1", question: unreachable }], [check], { standIn });
    },
  },
  snapshotCompleted: {
    bad: "fail",
    limit: "gateSeconds",
    gate: (world) => {
      const tags = { "handover:site": "handover-www", "handover:run": "r1" };
      const found = { kind: "ebs" as const, id: "snap-1", sizeGigabytes: 8, startedAt: new Date(), tags };
      const find = telling(world, { ...found, state: "completed" }, { ...found, state: "error" });
      const expected = { site: "handover-www", run: "r1", database: { volumeId: "vol-1" } };
      return snapshotCompleted({ find, sizeOf: async () => 8 }, found, expected);
    },
  },
  targetsHealthy: {
    bad: "fail",
    limit: "gateSeconds",
    gate: (world) => targetsHealthy(as(targets(world, "healthy", "unhealthy")), "green", groups),
  },
  targetsDrained: {
    bad: "inconclusive",
    limit: "own",
    gate: (world) =>
      targetsDrained(as({ ...targets(world, "", "draining"), absentSeconds: 0 }), "blue", groups, [server], 0),
  },
};

describe("every gate", () => {
  before((done) => {
    page = createServer((_, response) => response.end("ok")).listen(0, "127.0.0.1", done);
  });
  after(() => {
    page.close();
    page.closeAllConnections();
  });

  for (const [name, { bad, limit, gate }] of Object.entries(rows)) {
    const expected = { good: "pass", bad, blind: "inconclusive" };
    it(`${name}: pass, ${bad}, and inconclusive when nobody can be asked; its time limit is ${limit}`, async () => {
      for (const world of ["good", "bad", "blind"] as const) {
        const one = gate(world);
        const [result] = await hold([one], { seconds: 0, signal });
        assert.equal(result?.verdict, expected[world], `${world}: ${JSON.stringify(result?.evidence)}`);
        assert.equal(one.patienceSeconds, limit === "own" ? 0 : undefined);
      }
    });
  }

  it("is in this table", () => {
    const directory = join(import.meta.dirname, "..", "..", "..", "automation", "gates");
    const exported = readdirSync(directory).flatMap((file) =>
      readFileSync(join(directory, file), "utf8").split(/^export /m),
    );
    const observing = exported.filter((declaration) => /(?<!\.)\bobserve[(:,]/.test(declaration));
    const names = observing.flatMap(
      (declaration) => /^(?:async )?(?:function|class|const) (\w+)/.exec(declaration)?.[1] ?? [],
    );
    const overOthers = ["once", "overArray"];
    assert.deepEqual(names.sort(), [...Object.keys(rows), ...overOthers].sort());
  });
});
