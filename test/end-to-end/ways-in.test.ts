import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateListenerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  DeleteListenerCommand,
  DeleteRuleCommand,
  DescribeListenersCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { Client } from "../../sandbox/traffic/client.ts";
import { eventually } from "../sandbox/support.ts";
import { drive, handover } from "./command-line.ts";
import { Site } from "./site.ts";

const otherPort = 8009;

describe("a site whose servers are reached by a rule and a listener that were made by hand", () => {
  let site: Site;
  let balancing: ElasticLoadBalancingV2Client;
  const made: { ruleArn?: string; listenerArn?: string } = {};

  before(async () => {
    site = await Site.up("sandbox-ways-in");
    balancing = new ElasticLoadBalancingV2Client(site.settings);
    await makeWays();
    site.setGoal("green");
  });
  after(async () => {
    balancing.destroy();
    // What comes by ways that were made by hand is not given to the new servers, and comes to old ones without their addresses.
    site.excuseWaysOut();
    await site.down();
  });

  /** `/api/*` to the live target group, and the same servers in a second group behind a second listener. */
  async function makeWays(): Promise<void> {
    const { loadBalancer, generations } = await site.status();
    const { TargetGroups: [own] = [] } = await balancing.send(new DescribeTargetGroupsCommand({}));
    const LoadBalancerArn = own?.LoadBalancerArns?.[0];
    const { Listeners: [listener] = [] } = await balancing.send(new DescribeListenersCommand({ LoadBalancerArn }));
    assert.equal(listener?.Port, loadBalancer?.port);
    const { Rules: [rule] = [] } = await balancing.send(
      new CreateRuleCommand({
        ListenerArn: listener?.ListenerArn,
        Priority: 10,
        Conditions: [{ Field: "path-pattern", Values: ["/api/*"] }],
        Actions: [{ Type: "forward", TargetGroupArn: own?.TargetGroupArn }],
      }),
    );
    const { Name, ...like } = { Name: "reports", Protocol: "HTTP", Port: 8080, VpcId: own?.VpcId } as const;
    const { TargetGroups: [second] = [] } = await balancing.send(
      new CreateTargetGroupCommand({ Name, ...like, HealthCheckPath: "/health", HealthCheckIntervalSeconds: 5 }),
    );
    const TargetGroupArn = second?.TargetGroupArn;
    const Targets = (generations.blue?.frontends ?? []).map(({ instanceId: Id }) => ({ Id }));
    await balancing.send(new RegisterTargetsCommand({ TargetGroupArn, Targets }));
    const { Listeners: [other] = [] } = await balancing.send(
      new CreateListenerCommand({
        LoadBalancerArn,
        Port: otherPort,
        Protocol: "HTTP",
        DefaultActions: [{ Type: "forward", TargetGroupArn }],
      }),
    );
    Object.assign(made, { ruleArn: rule?.RuleArn, listenerArn: other?.ListenerArn });
  }

  /** Asks by both ways until told to stop. @returns statuses other than those of the application */
  async function users(stop: AbortSignal): Promise<(number | string)[]> {
    const { loadBalancer } = await site.status();
    const client = new Client(5_000);
    const host = loadBalancer?.dnsName ?? "";
    const lost: (number | string)[] = [];
    const ask = async (port: number, path: string) => {
      const { status, error } = await client.get({ host, port, hostHeader: "www.staging.example.com" }, path, false);
      return status ?? error?.code ?? "nothing";
    };
    const both = () => Promise.all([ask(loadBalancer?.port ?? 0, "/api/users"), ask(otherPort, "/")]);
    await eventually(async () => String(await both()) === "404,200", "both ways lead to a server");
    while (!stop.aborted) {
      const [api, reports] = await both();
      if (api !== 404) lost.push(api);
      if (reports !== 200) lost.push(reports);
      await sleep(20);
    }
    return lost;
  }

  it("is told of them by plan and doctor", async () => {
    const rule = /rule 10 of the listener on port \d+ of load balancer \S+ forwards to the target group of blue/;
    const group = /target group reports has i-\w+, i-\w+, and gets requests from the listener on port 8009/;
    const plan = await handover("plan", "--stack", site.name, "--json");
    assert.equal(plan.exitCode, 0, plan.stdout + plan.stderr);
    const warnings = (JSON.parse(plan.stdout).warnings as string[]).join("\n");
    const doctor = await handover("doctor", "--stack", site.name, "--json");
    const { checks } = JSON.parse(doctor.stdout) as { checks: { check: string; result: string; message: string }[] };
    const found = checks.find(({ check }) => check === "ways in");
    assert.equal(found?.result, "problem");
    for (const text of [warnings, found?.message ?? ""]) {
      assert.match(text, rule);
      assert.match(text, group);
    }
  });

  it("pauses before the old servers leave, names both, and loses no request until they are gone and it goes on", async () => {
    const stop = new AbortController();
    const traffic = await site.traffic();
    const asking = users(stop.signal);
    const paused = await drive(["upgrade", "--stack", site.name]);
    assert.equal(paused.exitCode, 3, paused.stdout + paused.stderr);
    assert.match(String(paused.last.message), /^drain: no other way in: blue: .*rule 10 of .*target group reports has/);
    stop.abort();
    assert.deepEqual(await asking, []);
    await balancing.send(new DeleteRuleCommand({ RuleArn: made.ruleArn }));
    await balancing.send(new DeleteListenerCommand({ ListenerArn: made.listenerArn }));
    const { exitCode, stdout, stderr } = await drive(["resume", "--stack", site.name]);
    const report = await traffic.stop();
    assert.equal(exitCode, 0, stdout + stderr);
    assert.equal(report.failed, 0, JSON.stringify(report.failures));
  });
});
