import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accountProblem, identified } from "../../../automation/cloud/access.ts";
import { Aws } from "../../../automation/cloud/aws.ts";
import { credentialsEnd } from "../../../automation/cloud/credentials.ts";
import { accessOf } from "../../../automation/cloud/plugin-settings.ts";
import type { Settings } from "../../../automation/cloud/setting-values.ts";
import { cloudForTests, type TestCloud } from "../../sandbox/support.ts";

const region = "us-east-1";
const role = (account: string) => `arn:aws:iam::${account}:role/deployer`;

describe("what a stack's file tells the plugin", () => {
  const environment = { ...process.env };
  let cloud: TestCloud;
  let folder: string;
  before(async () => {
    cloud = await cloudForTests();
    folder = mkdtempSync(join(tmpdir(), "handover-test-"));
    process.env.AWS_ENDPOINT_URL = cloud.url;
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: "ambient", AWS_SECRET_ACCESS_KEY: "ambient" });
  });
  after(async () => {
    process.env = environment;
    rmSync(folder, { recursive: true });
    await cloud.stop();
  });

  async function accountOf(settings: Settings): Promise<string> {
    const aws = new Aws(accessOf(region, settings));
    try {
      return (await aws.identity()).account;
    } finally {
      aws.close();
    }
  }

  it("holds for the driver: a role, a chain of them, the older form, and JSON as the engine passes it on", async () => {
    assert.equal(await accountOf({}), "123456789012");
    for (const settings of [
      { assumeRoles: [{ roleArn: role("222222222222"), sessionName: "run", externalId: "x", duration: "1h" }] },
      { assumeRoles: JSON.stringify([{ roleArn: role("111111111111") }, { roleArn: role("222222222222") }]) },
      { assumeRole: { roleArn: role("222222222222") } },
    ])
      assert.equal(await accountOf(settings), "222222222222", JSON.stringify(settings));
  });

  it("holds for the driver: a profile of files that it names, also where the environment has a key", async () => {
    const config = join(folder, "config");
    const lines = [
      "[profile shop]",
      `role_arn = ${role("333333333333")}`,
      "source_profile = base",
      "region = us-east-1",
    ];
    writeFileSync(
      config,
      [...lines, "[profile base]", "aws_access_key_id = a", "aws_secret_access_key = b"].join("\n"),
    );
    assert.equal(await accountOf({ profile: "shop", sharedConfigFiles: [config] }), "333333333333");
    const both = { profile: "base", sharedConfigFiles: [config], assumeRoles: [{ roleArn: role("444444444444") }] };
    assert.equal(await accountOf(both), "444444444444");
    await assert.rejects(accountOf({ profile: "nobody", sharedConfigFiles: [config] }), {
      name: "CredentialsProviderError",
    });
  });

  it("is assumed once for all clients, and again before a session ends", async () => {
    const { credentials } = accessOf(region, { assumeRoles: [{ roleArn: role("222222222222") }] });
    const [first, second] = await Promise.all([credentials?.(), credentials?.()]);
    assert.ok(first !== undefined && first === second);
    assert.notEqual((await credentials?.({ forceRefresh: true }))?.accessKeyId, first.accessKeyId);
    const short = accessOf(region, { assumeRoles: [{ roleArn: role("222222222222"), duration: "15m" }] });
    const known = await short.credentials?.();
    const left = ((known?.expiration?.getTime() ?? 0) - Date.now()) / 60_000;
    assert.ok(left > 10 && left <= 15, String(left));
  });

  it("ends for good with what may assume the role, and never before its session", async () => {
    const of = (minutes?: number, source?: () => Promise<{ expiration?: Date }>) => {
      const expiration = minutes === undefined ? {} : { expiration: new Date(Date.now() + minutes * 60_000) };
      const provider = async () => ({ accessKeyId: "a", secretAccessKey: "b", ...expiration });
      return Object.assign(provider, source === undefined ? {} : { source });
    };
    assert.equal(await credentialsEnd(of(15, of())), undefined);
    const minutes = async (given: ReturnType<typeof of>) =>
      Math.round((((await credentialsEnd(given))?.getTime() ?? 0) - Date.now()) / 60_000);
    assert.equal(await minutes(of(15, of(50))), 50);
    assert.equal(await minutes(of(15, of(5))), 15);
  });

  it("names the services' endpoints by each of the plugin's names", () => {
    const access = accessOf(region, { endpoints: [{ elb: "http://a" }, { cloudwatchlogs: "http://b", ec2: "" }] });
    assert.equal(identified(access, "elbv2").endpoint, "http://a");
    assert.equal(identified(access, "logs").endpoint, "http://b");
    assert.equal(identified(access, "ec2").endpoint, undefined);
  });

  it("says in which accounts the plugin may work", () => {
    const access = accessOf(region, { allowedAccountIds: ["111111111111"] });
    assert.match(accountProblem(access, "222222222222") ?? "", /allowedAccountIds.*111111111111/);
    assert.equal(accountProblem(access, "111111111111"), undefined);
    const forbidden = accessOf(region, { forbiddenAccountIds: '["111111111111"]' });
    assert.match(accountProblem(forbidden, "111111111111") ?? "", /forbiddenAccountIds/);
  });

  it("is refused with the setting's name where it cannot be followed", () => {
    for (const [settings, message] of [
      [{ accessKey: "a" }, /^aws:secretKey: is missing/],
      [{ assumeRoles: "[" }, /^aws:assumeRoles: is no JSON/],
      [{ assumeRoles: [{ sessionName: "a" }] }, /^aws:assumeRoles: has no roleArn/],
      [{ assumeRoles: [{ roleArn: "a", duration: "soon" }] }, /^aws:assumeRoles: duration soon/],
      [{ sharedConfigFiles: ["a", "b"] }, /^aws:sharedConfigFiles: must name one file/],
    ] as const)
      assert.throws(() => accessOf(region, settings), { message });
  });

  it("has secrets that are not to be seen", () => {
    const key = { accessKey: "AKIA", secretKey: "secret", token: "token" };
    assert.deepEqual(accessOf(region, key).secrets, ["secret", "token"]);
  });
});
