import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  DeregisterTargetsCommand,
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeRulesCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
  ModifyTargetGroupCommand,
  RegisterTargetsCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { DocumentOf } from "../../automation/documents/documents.ts";
import { sandboxDirectory } from "../../sandbox/environment.ts";
import { eventually } from "../sandbox/support.ts";
import { drive, handover } from "./command-line.ts";
import { Site } from "./site.ts";

describe("what somebody changed beside the runs", () => {
  let site: Site;
  before(async () => {
    site = await Site.up("sandbox-drift");
    site.setGoal("green");
  });
  after(() => site.down());

  const stateOf = () => {
    const stacks = join(sandboxDirectory(site.name), "state", ".pulumi", "stacks", "handover");
    return readFileSync(join(stacks, `${site.name}.json`), "utf8");
  };
  const drift = async () => {
    const { exitCode, stdout } = await handover("drift", "--stack", site.name, "--json");
    return { exitCode, ...(JSON.parse(stdout) as DocumentOf<"drift">) };
  };

  it("is none after a deployment", async () => {
    const { exitCode, resources, missing } = await drift();
    assert.deepEqual([exitCode, resources, missing], [0, [], []]);
  });

  it("is shown by resource and property, and neither the cloud nor the state is changed by that", async () => {
    const balancing = new ElasticLoadBalancingV2Client(site.settings);
    const [[group], [balancer]] = await Promise.all([
      balancing.send(new DescribeTargetGroupsCommand({})).then(({ TargetGroups = [] }) => TargetGroups),
      balancing.send(new DescribeLoadBalancersCommand({})).then(({ LoadBalancers = [] }) => LoadBalancers),
    ]);
    const TargetGroupArn = group?.TargetGroupArn ?? "";
    const { TargetHealthDescriptions: [target] = [] } = await balancing.send(
      new DescribeTargetHealthCommand({ TargetGroupArn }),
    );
    const { Listeners: [listener] = [] } = await balancing.send(
      new DescribeListenersCommand({ LoadBalancerArn: balancer?.LoadBalancerArn }),
    );
    const { Rules = [] } = await balancing.send(new DescribeRulesCommand({ ListenerArn: listener?.ListenerArn }));
    const rule = Rules.find(({ IsDefault }) => !IsDefault);
    const Targets = [{ Id: target?.Target?.Id, Port: target?.Target?.Port }];
    const change = (values: string[]) =>
      balancing.send(
        new ModifyRuleCommand({
          RuleArn: rule?.RuleArn,
          Conditions: [{ Field: "host-header", HostHeaderConfig: { Values: values } }],
        }),
      );
    await balancing.send(new DeregisterTargetsCommand({ TargetGroupArn, Targets }));
    await change(["elsewhere.example.com"]);
    const state = stateOf();
    try {
      const { exitCode, resources, missing } = await drift();
      assert.equal(exitCode, 1);
      const [attachment, changed] = ["TargetGroupAttachment", "ListenerRule"].map((type) =>
        resources.find((each) => each.type.endsWith(`:${type}`)),
      );
      assert.equal(attachment?.gone, true, JSON.stringify(resources));
      assert.match(JSON.stringify(changed?.properties), /"before":"test\..*"after":"elsewhere\.example\.com"/);
      assert.match(missing.join(), /target|registered/);
      assert.equal(stateOf(), state);
    } finally {
      await balancing.send(new RegisterTargetsCommand({ TargetGroupArn, Targets }));
      await change(rule?.Conditions?.[0]?.HostHeaderConfig?.Values ?? []);
      await eventually(
        async () => {
          const { TargetHealthDescriptions = [] } = await balancing.send(
            new DescribeTargetHealthCommand({ TargetGroupArn }),
          );
          return TargetHealthDescriptions.every(({ TargetHealth }) => TargetHealth?.State === "healthy");
        },
        "the target is healthy again",
        60,
      );
      balancing.destroy();
    }
  });

  it("is told by resource with --refresh, and an upgrade that would change it back on the way is refused before it begins", async () => {
    const balancing = new ElasticLoadBalancingV2Client(site.settings);
    const { TargetGroups: [group] = [] } = await balancing.send(new DescribeTargetGroupsCommand({}));
    const change = { TargetGroupArn: group?.TargetGroupArn, HealthCheckPath: "/" };
    await balancing.send(new ModifyTargetGroupCommand(change));
    balancing.destroy();
    const cloud = await site.cloud();
    const { exitCode, events, last, stdout, stderr } = await drive(["upgrade", "--stack", site.name, "--refresh"]);
    const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
    assert.ok(
      warnings.some((warning) => /drift: aws:lb\/targetGroup:TargetGroup blue: .*healthCheck/.test(warning)),
      stdout + stderr,
    );
    assert.match(String(last.message), /update aws:lb\/targetGroup:TargetGroup blue/);
    assert.deepEqual(
      events.filter(({ type }) => type === "applied"),
      [],
    );
    assert.deepEqual(await site.cloud(), cloud);
    assert.equal(exitCode, 4, stdout + stderr);
  });
});
