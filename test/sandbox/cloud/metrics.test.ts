import assert from "node:assert/strict";
import { CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateListenerCommand } from "@aws-sdk/client-elastic-load-balancing-v2";
import { BalancerMetrics } from "../../../automation/cloud/balancer-metrics.ts";
import { CloudWatch } from "../../../automation/cloud/cloudwatch.ts";
import type { TargetGroupMetrics } from "../../../sandbox/network/state.ts";
import { cloudForTests, eventually, type TestCloud } from "../support.ts";
import { loadBalancer, network, targetGroup } from "./world.ts";

const { signal } = new AbortController();

describe("The cloud's metrics and logs", () => {
  let cloud: TestCloud;
  let cloudWatch: CloudWatch;
  let client: CloudWatchClient;
  let logs: CloudWatchLogsClient;
  /** A whole minute of the last hour, in milliseconds since 1970. */
  const minute = Math.floor(Date.now() / 60_000 - 10) * 60_000;
  const span = { start: minute, end: minute + 300_000 };

  before(async () => {
    cloud = await cloudForTests();
    const credentials = { accessKeyId: "a", secretAccessKey: "b" };
    const settings = { endpoint: cloud.url, region: "us-east-1", credentials };
    cloudWatch = new CloudWatch(settings, settings);
    client = new CloudWatchClient(settings);
    logs = new CloudWatchLogsClient(settings);
  });
  after(() => {
    cloudWatch?.close();
    client?.destroy();
    logs?.destroy();
    return cloud.stop();
  });

  async function put(metricName: string, values: readonly (readonly [second: number, value: number])[]) {
    const MetricData = values.map(([second, Value]) => ({
      MetricName: metricName,
      Value,
      Timestamp: new Date(minute + second * 1000),
      Dimensions: [{ Name: "Site", Value: "www" }],
    }));
    await client.send(new PutMetricDataCommand({ Namespace: "Site", MetricData }));
  }

  function metric(Id: string, metricName: string, Stat: string, ReturnData = true) {
    const Dimensions = [{ Name: "Site", Value: "www" }];
    const Metric = { Namespace: "Site", MetricName: metricName, Dimensions };
    return { Id, ReturnData, MetricStat: { Metric, Stat, Period: 60 } };
  }

  it("has percentiles and percentile ranks of each period", async () => {
    await put(
      "Seconds",
      Array.from({ length: 100 }, (_, index) => [index % 60, (index + 1) / 100] as const),
    );
    const queries = [
      metric("a", "Seconds", "p90"),
      metric("b", "Seconds", "PR(:0.25)"),
      metric("c", "Seconds", "PR(0.9:)"),
    ];
    const series = await cloudWatch.metricData(queries, span);
    assert.deepEqual(
      [...series].map(([id, values]) => [id, ...values]),
      [
        ["a", [minute, 0.9]],
        ["b", [minute, 25]],
        ["c", [minute, 10]],
      ],
    );
  });

  it("works metric math out over the periods, and gives only what was asked for", async () => {
    await put("Errors", [[0, 5]]);
    await put("Requests", [
      [1, 50],
      [61, 50],
    ]);
    const queries = [
      metric("errors", "Errors", "Sum", false),
      metric("requests", "Requests", "Sum", false),
      { Id: "share", Expression: "100 * FILL(errors, 0) / requests" },
    ];
    const series = await cloudWatch.metricData(queries, span);
    assert.deepEqual(
      [...series].map(([id, values]) => [id, ...values]),
      [["share", [minute, 10], [minute + 60_000, 0]]],
    );
  });

  it("refuses an expression that it cannot work out", async () => {
    const expression = { Id: "x", Expression: "ANOMALY_DETECTION_BAND(y)" };
    await assert.rejects(cloudWatch.metricData([expression], span), /Error in expression/);
  });

  it("has what the load balancer published of a target group", async () => {
    const world = await network(cloud.ec2);
    const [balancer, group] = [await loadBalancer(cloud.elb, world), await targetGroup(cloud.elb, world)];
    const targetGroupArn = group.TargetGroupArn ?? "";
    await cloud.elb.send(
      new CreateListenerCommand({
        LoadBalancerArn: balancer,
        Port: 80,
        Protocol: "HTTP",
        DefaultActions: [{ Type: "forward", TargetGroupArn: targetGroupArn }],
      }),
    );
    const node = "127.144.0.1";
    const published: TargetGroupMetrics[] = [
      {
        node,
        targetGroupArn,
        timestamp: minute / 1000,
        requests: 10,
        errors: 1,
        clientErrors: 2,
        seconds: [0.01, 2],
        counts: [9, 1],
      },
      {
        node,
        targetGroupArn,
        timestamp: minute / 1000 + 1,
        requests: 5,
        errors: 0,
        clientErrors: 0,
        seconds: [0.01],
        counts: [5],
      },
    ];
    await cloud.control("POST", "metrics", published);
    const slow = { percentile: 50, percent: 50, milliseconds: 100 };
    for (const periodSeconds of [1, 60]) {
      const metrics = new BalancerMetrics(cloudWatch, balancer, periodSeconds);
      const threshold = await metrics.threshold(targetGroupArn, span, slow, signal);
      assert.equal(threshold?.toFixed(3), "0.110");
      assert.deepEqual(await metrics.answers(targetGroupArn, span, 0.11, signal), {
        requests: 15,
        errors: 1,
        clientErrors: 2,
        slow: 1,
      });
    }
  });

  it("tells of a minute late, and node by node, so that it is revised", async () => {
    const world = await network(cloud.ec2);
    const [balancer, group] = [await loadBalancer(cloud.elb, world), await targetGroup(cloud.elb, world)];
    const targetGroupArn = group.TargetGroupArn ?? "";
    const DefaultActions = [{ Type: "forward" as const, TargetGroupArn: targetGroupArn }];
    const listener = { LoadBalancerArn: balancer, Port: 81, Protocol: "HTTP" as const, DefaultActions };
    await cloud.elb.send(new CreateListenerCommand(listener));
    await cloud.control("POST", "settings", { metricMinuteSeconds: 1 });
    const now = Math.floor(Date.now() / 1000);
    const nodes = ["1", "2", "3", "4", "5", "6"];
    const published = nodes.map((node): TargetGroupMetrics => {
      return {
        node,
        targetGroupArn,
        timestamp: now,
        requests: 10,
        errors: 0,
        clientErrors: 0,
        seconds: [0.01],
        counts: [10],
      };
    });
    await cloud.control("POST", "metrics", published);
    const metrics = new BalancerMetrics(cloudWatch, balancer, 1);
    const seen = new Set<number>();
    await eventually(async () => {
      const whole = { start: now * 1000, end: (now + 1) * 1000 };
      const [series] = await metrics.requests([targetGroupArn], whole, signal);
      const count = series?.get(now * 1000) ?? 0;
      seen.add(count);
      return count === 60;
    });
    assert.ok(seen.has(0), "nothing is told of a minute before it is over");
    assert.ok(seen.size > 2, `what is told was revised: ${[...seen]}`);
  });

  it("finds log events by a term and their stream", async () => {
    await logs.send(new CreateLogGroupCommand({ logGroupName: "/www/error" }));
    await logs.send(new CreateLogStreamCommand({ logGroupName: "/www/error", logStreamName: "i-1" }));
    const logEvents = ["ERROR one", "fine"].map((message) => ({ message, timestamp: Date.now() }));
    await logs.send(new PutLogEventsCommand({ logGroupName: "/www/error", logStreamName: "i-1", logEvents }));
    const found = { start: Date.now() - 60_000, end: Date.now() + 60_000 };
    assert.deepEqual(await cloudWatch.logEvents("/www/error", "ERROR", found), {
      events: [{ stream: "i-1", message: "ERROR one" }],
      more: false,
    });
    await assert.rejects(cloudWatch.logEvents("/nowhere", "ERROR", found), /log group does not exist/);
  });
});
