import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkClock } from "../../../automation/doctor/account.ts";
import { answerFrom, conclude } from "../../../automation/doctor/permissions.ts";
import { roomFor } from "../../../automation/doctor/quotas.ts";
import { checkNode, checkPlugin } from "../../../automation/doctor/tools.ts";

const named = (name: string) => Object.assign(new Error(`${name}: why`), { name });

describe("doctor", () => {
  it("accepts a Node that strips types, and says what to install instead of an older one", () => {
    assert.equal(checkNode("22.21.0").result, "ok");
    const { result, message } = checkNode("20.19.5");
    assert.equal(result, "problem");
    assert.match(message, /install 22\.21 or later/);
  });

  it("says which plugin the engine will take: one that it attaches to, or one on PATH", async () => {
    const directory = mkdtempSync(join(tmpdir(), "handover-doctor-"));
    try {
      const plugin = join(directory, "pulumi-resource-aws");
      writeFileSync(plugin, "");
      chmodSync(plugin, 0o755);
      assert.match((await checkPlugin({ PATH: directory })).message, new RegExp(plugin));
      const attached = await checkPlugin({ PATH: directory, PULUMI_DEBUG_PROVIDERS: "random:1,aws:4242" });
      assert.match(attached.message, /attached on port 4242/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("compares the clock with AWS's, in both directions", () => {
    const told = "Tue, 24 Nov 2026 12:00:00 GMT";
    const now = Date.parse(told);
    assert.equal(checkClock(told, now + 900).result, "ok");
    assert.match(checkClock(told, now + 120_000).message, /120 s ahead of AWS's.*set it/);
    assert.match(checkClock(told, now - 120_000).message, /120 s behind AWS's/);
    assert.equal(checkClock(undefined, now).result, "skipped");
  });

  it("takes AWS's word for what would have been allowed, and for what would not", () => {
    assert.equal(answerFrom(named("DryRunOperation")).answer, "allowed");
    assert.equal(answerFrom(named("UnauthorizedOperation")).answer, "denied");
    assert.equal(answerFrom(named("AccessDeniedException")).answer, "denied");
    assert.equal(answerFrom(named("RequestLimitExceeded")).answer, "unknown");
  });

  it("names the actions that are not allowed", () => {
    const { result, message } = conclude([
      { action: "ec2:RunInstances", answer: "denied" },
      { action: "ec2:DescribeImages", answer: "allowed" },
      { action: "ec2:CreateTags", answer: "unknown", reason: "throttled" },
    ]);
    assert.deepEqual([result, /not allowed: ec2:RunInstances;/.test(message)], ["problem", true]);
  });

  it("is not alarmed by what AWS does not say, and says so", () => {
    const unknown = { action: "ec2:CreateTags", answer: "unknown", reason: "throttled" } as const;
    assert.equal(conclude([unknown]).result, "skipped");
    const { result, message } = conclude([unknown, { action: "ec2:RunInstances", answer: "allowed" }]);
    assert.deepEqual([result, /ec2:CreateTags is not known: throttled/.test(message)], ["ok", true]);
  });

  it("says how to ask for more when a quota has no room for the next run", () => {
    const quota = { service: "ec2", code: "L-0263D0A3", limit: 5 };
    assert.equal(roomFor("Elastic IPs", { ...quota, used: 3, more: 2 }).result, "ok");
    const { result, message } = roomFor("Elastic IPs", { ...quota, used: 4, more: 2 });
    assert.equal(result, "problem");
    assert.match(message, /request-service-quota-increase .*--quota-code L-0263D0A3 --desired-value 6/);
  });
});
