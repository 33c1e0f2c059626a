import assert from "node:assert/strict";
import { CloudWatchClient, PutMetricAlarmCommand, SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import { EC2Client, StopInstancesCommand } from "@aws-sdk/client-ec2";
import type { RunEvent } from "../../automation/documents/events.ts";
import type { Traffic } from "../../sandbox/traffic/traffic.ts";
import { eventually } from "../sandbox/support.ts";
import { drive, handover } from "./command-line.ts";
import { Site } from "./site.ts";

const name = "sandbox-baseline";
const alarm = "www-5xx";

/** In order, on one site: each run begins where the one before it has ended. */
describe("a site on which not everything was in order before the run", () => {
  let site: Site;
  let ec2: EC2Client;
  let users: Traffic | undefined;

  before(async () => {
    site = await Site.up(name, (config) => {
      delete config["handover:site"].database;
      delete config["handover:upgrade"].migrate;
      config["handover:upgrade"].smoke = [{ path: "/", expectBody: " 41 " }];
    });
    ec2 = new EC2Client(site.settings);
    const cloudWatch = new CloudWatchClient(site.settings);
    const metric = { Namespace: "Shop", MetricName: "Errors", Period: 60, Statistic: "Sum", EvaluationPeriods: 1 };
    const over = { Threshold: 1, ComparisonOperator: "GreaterThanThreshold" };
    await cloudWatch.send(new PutMetricAlarmCommand({ AlarmName: alarm, ...metric, ...over } as never));
    await cloudWatch.send(new SetAlarmStateCommand({ AlarmName: alarm, StateValue: "ALARM", StateReason: "errors" }));
    cloudWatch.destroy();
  });
  after(async () => {
    await users?.stop();
    ec2?.destroy();
    await site?.down();
  });

  /** One commit: a new page, and the check that it is there. */
  function release(generation: string, revision: string): void {
    site.edit((config) => {
      config["handover:generations"][generation] = { extends: "blue", inputs: { APP_REVISION: revision } };
      config["handover:live"] = generation;
      Object.assign(config["handover:upgrade"], {
        smoke: [{ path: "/", expectBody: ` ${revision} ` }],
        alarms: [alarm],
      });
    });
  }
  async function stop(server: string): Promise<void> {
    const { generations } = await site.status();
    const all = Object.values(generations).flatMap(({ frontends }) => frontends);
    const { instanceId = "" } = all.find((frontend) => frontend.name === server) ?? {};
    await ec2.send(new StopInstancesCommand({ InstanceIds: [instanceId] }));
    await eventually(
      async () => !(await site.server(instanceId)).health.includes("healthy"),
      `${server} is not healthy`,
    );
  }
  const warnings = (events: readonly RunEvent[]) =>
    events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
  const rollback = () => drive(["rollback", "--stack", name]);
  const upgrade = (...options: string[]) => drive(["upgrade", "--stack", name, ...options]);

  it("is upgraded to a new page with its new check, while an alarm rings; going back does not ask old servers for it", async () => {
    release("green", "43");
    users = await site.traffic();
    const paused = await upgrade("--pause-before", "observe");
    assert.equal(paused.exitCode, 3, paused.stdout + paused.stderr);
    assert.equal(paused.last.reason, "approval");
    const said = paused.events.findIndex(({ type }) => type === "warning");
    assert.ok(said >= 0 && said < paused.events.findIndex(({ type }) => type === "plan"));
    assert.match(warnings(paused.events).join("\n"), /check GET \/ of blue: blue 41 .*\n.*alarm www-5xx: in ALARM/);
    const back = await rollback();
    assert.equal(back.exitCode, 0, back.stdout + back.stderr);
    const { exitCode, stdout, stderr } = await upgrade();
    assert.equal(exitCode, 0, stdout + stderr);
    const { failed, failures } = await users.stop();
    users = undefined;
    assert.equal(failed, 0, JSON.stringify(failures));
  });

  it("goes back to old servers of which one was dead before, with the address that it holds", async () => {
    await stop("green-2");
    release("next", "44");
    const { exitCode, stdout, stderr, events } = await upgrade("--pause-before", "drain");
    assert.equal(exitCode, 3, stdout + stderr);
    assert.match(warnings(events).join("\n"), /before the run: green-2: stopped[\s\S]*before the run: address \d/);
    const back = await rollback();
    assert.equal(back.exitCode, 0, back.stdout + back.stderr);
    assert.deepEqual(Object.keys((await site.status()).generations), ["green"]);
  });

  it("gets all traffic at once where nothing of the old generation answers, and the plan says so", async () => {
    await stop("green-1");
    const plan = await handover("plan", "--stack", name, "--json");
    assert.match(plan.stdout, /before the run: green is down, so next gets all traffic at once/);
    const { exitCode, stdout, stderr, events } = await upgrade();
    assert.equal(exitCode, 0, stdout + stderr);
    const connected = events.flatMap((event) => (event.type === "applied" && event.phase === "connect" ? [event] : []));
    assert.equal(connected.length, 1);
    const report = await handover("report", "--stack", name);
    assert.match(report.stdout, /before the run: green is down/);
  });
});
