import assert from "node:assert/strict";
import { findingsOf } from "../../../automation/doctor/watched.ts";
import { configOf } from "../config.ts";

const named = (name: string, message: string) => Object.assign(new Error(message), { name });
const answering = {
  metricData: async () => new Map(),
  alarmStates: async () => new Map([["www-5xx", "OK"]]),
  logEvents: async () => ({ events: [], more: false }),
};
const errors = { namespace: "Site", metricName: "Errors" };
const upgrade = {
  metrics: [{ name: "errors", cloudWatch: { metrics: { errors } }, atMost: 1 }],
  alarms: ["www-5xx"],
  logs: [{ group: "/www/error", pattern: "ERROR" }],
};

async function findings(cloudWatch: Partial<typeof answering> = {}, more: object = {}) {
  const { config } = configOf({ upgrade: { ...upgrade, ...more } });
  const found = await findingsOf({ ...answering, ...cloudWatch }, config);
  return found.map(({ check, result, message }) => `${check}: ${result}: ${message}`);
}

describe("doctor, on what a run would watch", () => {
  it("says that everything answers", async () => {
    assert.deepEqual(await findings(), [
      "comparison: ok: answers",
      "metric errors: ok: answers",
      "alarms: ok: answers",
      "log /www/error: ok: answers",
    ]);
  });

  it("asks for the metric of sessions, where that is their source", async () => {
    const active = { namespace: "Shop", metricName: "ActiveSessions", dimensions: { InstanceId: "$instanceId" } };
    const found = await findings({}, { sessions: { cloudWatch: { metrics: { active } } } });
    assert.equal(found[2], "sessions: ok: answers");
  });

  it("names what is not allowed, and what AWS refuses", async () => {
    const found = await findings({
      metricData: () => Promise.reject(named("AccessDenied", "not authorized to perform: cloudwatch:GetMetricData")),
      alarmStates: async () => new Map(),
      logEvents: () => Promise.reject(named("InvalidParameterException", "Invalid filter pattern")),
    });
    assert.match(found[0] ?? "", /^comparison: problem: not allowed: .*GetMetricData/);
    assert.match(found[2] ?? "", /^alarms: problem: there is no alarm www-5xx/);
    assert.match(found[3] ?? "", /^log \/www\/error: problem: Invalid filter pattern/);
  });
});
