import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudWatchClient, PutMetricAlarmCommand, SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { ask } from "../../automation/cloud/http.ts";
import { type Driven, drive, handover, startDriver } from "./command-line.ts";
import { Site } from "./site.ts";

const name = "sandbox-gates";
const group = "/www/error";
const directory = mkdtempSync(join(tmpdir(), "handover-gates-"));
/** Where the user's own suite writes the phases down in which it ran. */
const phases = join(directory, "phases");

/** Checks of every kind, no addresses to move, and more generations: three that must be refused, and a good one. */
function configure(config: Parameters<Parameters<Site["edit"]>[0]>[0]): void {
  config["handover:site"].elasticIps = 0;
  const smoke = [
    ...config["handover:upgrade"].smoke,
    { path: "/", expectBody: "^\\w+ 4\\d ", passes: 2 },
    { command: ["sh", "-c", `echo "$HANDOVER_PHASE" >> ${phases} && test -n "$HANDOVER_SERVER_URLS"`] },
    { ssm: { parameters: { commands: ['test "$GENERATION" = blue || test "$GREETING" = "hello from SSM"'] } } },
  ];
  const sessions = { path: "/server-status?auto", field: "BusyWorkers", atMost: 2, quietSeconds: 1, limitSeconds: 4 };
  const comparison = { enabled: false };
  Object.assign(config["handover:upgrade"], {
    stableSeconds: 5,
    bakeSeconds: 0,
    gateSeconds: 10,
    smoke,
    sessions,
    comparison,
  });
  config["handover:generations"].green.inputsFrom = "/www";
  Object.assign(config["handover:generations"], {
    "db-down": { extends: "green", inputs: { SIMULATE: "db-down" } },
    crash: { extends: "green", inputs: { SIMULATE: "crash-after=5" } },
    noisy: { extends: "green", inputs: { APP_REVISION: "44" } },
    next: { extends: "green", inputs: { APP_REVISION: "43" } },
  });
}

/** What a sandbox that is made like another stack does not have by itself: these providers are the other's. */
function watch(config: Parameters<Parameters<Site["edit"]>[0]>[0]): void {
  const ofGroup = (metricName: string) => {
    const dimensions = { LoadBalancer: "$loadBalancer", TargetGroup: "$targetGroup" };
    return { namespace: "AWS/ApplicationELB", metricName, dimensions, stat: "Sum" };
  };
  const share = {
    name: "errors in percent",
    cloudWatch: {
      metrics: { errors: ofGroup("HTTPCode_Target_5XX_Count"), requests: ofGroup("RequestCount") },
      expression: "100 * FILL(errors, 0) / requests",
      periodSeconds: 1,
    },
    atMost: 1,
  };
  const logs = [{ group, pattern: "ERROR", atMost: 1 }];
  Object.assign(config["handover:upgrade"], { metrics: [share], alarms: ["www-5xx"], logs });
}

describe("gates", () => {
  let site: Site;
  let toGreen: Driven;
  let sessions: Promise<readonly string[]>;
  let clients: { readonly alarms: CloudWatchClient; readonly logs: CloudWatchLogsClient; readonly ssm: SSMClient };

  before(async () => {
    site = await Site.up(name, configure);
    site.edit(watch);
    const { settings } = site;
    clients = {
      alarms: new CloudWatchClient(settings),
      logs: new CloudWatchLogsClient(settings),
      ssm: new SSMClient(settings),
    };
    await clients.ssm.send(new PutParameterCommand({ Name: "/www/GREETING", Value: "hello from SSM", Type: "String" }));
    await clients.logs.send(new CreateLogGroupCommand({ logGroupName: group }));
    const metric = {
      Namespace: "Shop",
      MetricName: "Errors",
      Period: 60,
      Statistic: "Sum",
      EvaluationPeriods: 1,
    } as const;
    const over = { Threshold: 1, ComparisonOperator: "GreaterThanThreshold" } as const;
    await clients.alarms.send(new PutMetricAlarmCommand({ AlarmName: "www-5xx", ...metric, ...over }));
    await clients.alarms.send(
      new SetAlarmStateCommand({ AlarmName: "www-5xx", StateValue: "OK", StateReason: "no errors" }),
    );
  });
  after(async () => {
    for (const client of Object.values(clients ?? {})) client.destroy();
    await site?.down();
    rmSync(directory, { recursive: true });
  });

  const upgrade = (generation: string, ...options: string[]) => {
    site.setGoal(generation);
    return drive(["upgrade", "--stack", name, ...options]);
  };
  /** Approves what a run waits for, and goes on. */
  async function approve(digest: unknown): Promise<Driven> {
    const approved = await handover("approve", "--stack", name, "--digest", String(digest));
    assert.equal(approved.exitCode, 0, approved.stderr);
    return drive(["resume", "--stack", name]);
  }
  const serversOf = async (generation: string) => (await site.status()).generations[generation]?.frontends ?? [];

  /** Keeps sessions open on a server that do not end by themselves. @returns how they end */
  function openSessions({ privateIp }: { readonly privateIp: string }): Promise<readonly string[]> {
    const question = { protocol: "http", address: privateIp, port: 8080, host: "www.example.com" } as const;
    const asked = Array.from({ length: 3 }, () =>
      ask({ ...question, path: "/?sleep=600000", timeoutSeconds: 900 }, new AbortController().signal),
    );
    return Promise.allSettled(asked).then((all) => all.map(({ status }) => status));
  }

  for (const [generation, where] of [
    ["db-down", /^launch-first: .*smoke on each server: (fail|inconclusive).*\/health\/db/s],
    ["crash", /^launch-(first|rest): /],
  ] as const) {
    it(`refuses ${generation} before it has traffic, goes back, and no user notices`, async () => {
      const users = await site.traffic();
      const { exitCode, last, stderr } = await upgrade(generation);
      const { failed, byGeneration } = await users.stop();
      assert.equal(exitCode, 2, stderr + JSON.stringify(last));
      assert.match(String(last.message), where);
      assert.deepEqual(Object.keys((await site.status()).generations), ["blue"]);
      assert.deepEqual([failed, Object.keys(byGeneration)], [0, ["blue"]]);
    });
  }

  it("ran the user's own suite in the first deployment, too", () => {
    assert.match(readFileSync(phases, "utf8"), /^settle\n/);
  });

  it("refuses a generation that logs errors as soon as it has traffic, quotes them, goes back, and no user notices", async () => {
    const users = await site.traffic();
    const watchFor = (stepSeconds: number) =>
      site.edit((config) => {
        config["handover:upgrade"].stepSeconds = stepSeconds;
      });
    watchFor(3600);
    site.setGoal("noisy");
    const driver = startDriver(["upgrade", "--stack", name]);
    await driver.seen("applied", "connect");
    const [{ instanceId: logStreamName } = assert.fail()] = await serversOf("noisy");
    const logEvents = [1, 2, 3].map((n) => ({ timestamp: Date.now(), message: `ERROR cannot charge order ${n}` }));
    await clients.logs.send(new CreateLogStreamCommand({ logGroupName: group, logStreamName }));
    await clients.logs.send(new PutLogEventsCommand({ logGroupName: group, logStreamName, logEvents }));
    const { exitCode, last, stderr } = await driver.ended;
    watchFor(0);
    const { failed } = await users.stop();
    assert.deepEqual([exitCode, failed], [2, 0], stderr + JSON.stringify(last));
    assert.match(String(last.message), /^connect: .*log \/www\/error: ERROR: fail: .*"ERROR cannot charge order 3"/);
    assert.deepEqual(Object.keys((await site.status()).generations), ["blue"]);
  });

  it("waits before the first old server ends, where a person must approve that", async () => {
    const [first] = await serversOf("blue");
    sessions = openSessions(first ?? assert.fail());
    const users = await site.traffic();
    toGreen = await upgrade("green", "--pause-before", "retire");
    const { failed } = await users.stop();
    const { exitCode, last, stderr } = toGreen;
    assert.deepEqual([exitCode, failed], [3, 0], stderr + JSON.stringify(last));
    assert.match(String(last.message), /^retire waits for approval\./);
    assert.equal((await serversOf("blue")).length, 2);
  });

  it("had watched metrics, alarms and logs before, in each traffic step and with all traffic", () => {
    const passed = toGreen.events.flatMap((event) =>
      event.type === "gate" && event.verdict === "pass" ? [`${event.phase}: ${event.gate}`] : [],
    );
    for (const phase of ["connect", "observe"])
      for (const gate of ["metric errors in percent", "no alarm", `log ${group}: ERROR`])
        assert.ok(passed.includes(`${phase}: ${gate}`), `${phase}: ${gate} is not in ${passed.join("\n")}`);
  });

  it("lets a server with open sessions stay, and only that one, and goes on when a person approves that too", async () => {
    const { exitCode, last, stderr } = await approve(toGreen.last.digest);
    assert.equal(exitCode, 3, stderr + JSON.stringify(last));
    assert.match(String(last.message), /sessions have not ended on blue-1\..*handover approve .*handover resume/);
    assert.deepEqual(
      (await serversOf("blue")).map((server) => server.name),
      ["blue-1"],
    );
    const ended = await approve(last.digest);
    assert.equal(ended.exitCode, 0, ended.stdout + ended.stderr);
    assert.deepEqual(await serversOf("blue"), []);
    assert.deepEqual(await sessions, ["rejected", "rejected", "rejected"]);
  });

  it("ends a server with its sessions at the limit where the configuration says so", async () => {
    const [first] = await serversOf("green");
    sessions = openSessions(first ?? assert.fail());
    site.edit((config) => {
      config["handover:upgrade"].sessions.onLimit = "terminate";
    });
    const { exitCode, events, stderr } = await upgrade("next");
    assert.equal(exitCode, 0, stderr);
    const gate = events.find((event) => event.type === "gate" && event.gate === "sessions ended: green-1");
    assert.match(JSON.stringify(gate), /"limitPassed":true/);
    assert.deepEqual(await sessions, ["rejected", "rejected", "rejected"]);
  });
});
