import assert from "node:assert/strict";
import { BalancerMetrics } from "../../../sandbox/network/metrics.ts";
import { group, World } from "./world.ts";

describe("The load balancer's metrics", () => {
  const metrics = new BalancerMetrics();
  let world: World;
  before(async () => {
    world = await World.start({ onAnswer: (node, arn, answer) => metrics.add(node, arn, answer) });
  });
  after(() => world.stop());
  afterEach(() => world.apply({}));

  /** One server behind the load balancer, which simulates this. */
  async function serve(simulate: string): Promise<void> {
    const action = { type: "forward", targetGroups: [{ arn: "green", weight: 1 }], stickinessSeconds: 0 } as const;
    await world.apply({
      instances: [world.instance(1, { SIMULATE: simulate })],
      targetGroups: [group("green", ["i-1"])],
      loadBalancers: [world.balancer({ arn: "rule", hosts: [], paths: [], action })],
    });
  }

  it("count requests, the targets' 5xx and their response times by target group", async () => {
    await serve("errors=1,slow=50");
    await world.healthOf("i-1", "healthy");
    await world.get();
    await world.get("/health");
    const [taken] = metrics.take();
    assert.deepEqual([taken?.targetGroupArn, taken?.requests, taken?.errors], ["green", 2, 1]);
    assert.match(taken?.node ?? "", /^127\./);
    assert.ok(taken?.seconds.every((seconds) => seconds >= 0.045));
    assert.deepEqual(metrics.take(), []);
  });

  it("count a request that the load balancer had to answer itself, which is no 5xx of the target", async () => {
    await serve("boot-fail");
    await world.healthOf("i-1", "unhealthy");
    assert.equal((await world.get()).status, 502);
    const [taken] = metrics.take();
    assert.deepEqual([taken?.requests, taken?.errors, taken?.seconds], [1, 0, []]);
  });
});
