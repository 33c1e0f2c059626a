import assert from "node:assert/strict";
import {
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
  ModifyTargetGroupCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { drive } from "./command-line.ts";
import { Site } from "./site.ts";

describe("what somebody changed beside the runs", () => {
  let site: Site;
  before(async () => {
    site = await Site.up("sandbox-drift");
    site.setGoal("green");
  });
  after(() => site.down());

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
