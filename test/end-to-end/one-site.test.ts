import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DescribeTableCommand,
  DynamoDBClient,
  ListTagsOfResourceCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-dynamodb";
import { DescribeInstancesCommand, DescribeVpcsCommand, EC2Client } from "@aws-sdk/client-ec2";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { observer } from "../../sandbox/observer.ts";
import { down, up } from "../../sandbox/sandbox.ts";
import { projectDirectory } from "../../stacks/project.ts";
import { editStack, environmentOf, type Finished, run } from "./command-line.ts";

const name = "sandbox-one-site";
const table = { TableName: `handover-${name}` };
const file = join(projectDirectory, `Pulumi.${name}.yaml`);
const other = "222222222222";
const roleArn = `arn:aws:iam::${other}:role/deployer`;

describe("one site", () => {
  const environment = { ...process.env };
  let env: NodeJS.ProcessEnv;
  let folder: string;

  before(async () => {
    await up({ name });
    env = await environmentOf(name);
    process.env = environment;
    folder = mkdtempSync(join(tmpdir(), "handover-test-"));
    // The volume and the key of the stack's secrets are in the first account.
    editStack(name, (config) => {
      delete config["handover:site"].database;
    });
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(/^(secretsprovider|encryptedkey):.*\n/gm, ""));
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await down(name);
  });

  const main = join(projectDirectory, "automation", "cli", "main.ts");
  const driver = (command: string, variables = env) =>
    run(process.execPath, [main, command, "--stack", name, "--json"], variables);
  const pulumi = (args: readonly string[], variables = env) =>
    run("pulumi", [...args, "--stack", name, "--non-interactive"], variables);
  const succeeds = async (finished: Promise<Finished>) => {
    const { exitCode, stdout, stderr } = await finished;
    assert.equal(exitCode, 0, stdout + stderr);
    return stdout;
  };

  /** How often anything was made, by operation. */
  async function made(): Promise<Record<string, number>> {
    const response = await fetch(`${env.AWS_ENDPOINT_URL}/sandbox/calls`);
    const calls = Object.entries((await response.json()) as Record<string, number>);
    return Object.fromEntries(calls.filter(([call]) => /[.](Create|Run|Allocate|Put|Delete|Release)/.test(call)));
  }

  async function assumed() {
    const sts = new STSClient({ ...settings(), credentials: observer });
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: "test" }));
    return {
      accessKeyId: Credentials?.AccessKeyId ?? "",
      secretAccessKey: Credentials?.SecretAccessKey ?? "",
      sessionToken: Credentials?.SessionToken ?? "",
    };
  }
  const settings = () => ({ endpoint: env.AWS_ENDPOINT_URL, region: env.AWS_REGION });

  /** What an account has of the site. */
  async function has(credentials: typeof observer) {
    const [ec2, dynamodb] = [
      new EC2Client({ ...settings(), credentials }),
      new DynamoDBClient({ ...settings(), credentials }),
    ];
    const Filters = [{ Name: "tag:handover:site", Values: [table.TableName] }];
    const { Vpcs = [] } = await ec2.send(new DescribeVpcsCommand({ Filters }));
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ Filters }));
    const there = await dynamodb.send(new DescribeTableCommand(table)).catch(() => undefined);
    return { networks: Vpcs.length, servers: Reservations.length, tables: there === undefined ? 0 : 1 };
  }

  it("is refused where the engine works in another account than the driver, before anything is made", async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = await assumed();
    // The plugin is a process of its own here, with the credentials that it was started with.
    const ofDriver = {
      ...env,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    };
    const before = await made();
    const refused = await driver("upgrade", ofDriver);
    assert.equal(refused.exitCode, 1, refused.stdout + refused.stderr);
    assert.match(refused.stdout, new RegExp(`another-place.*${other}.*engine.*123456789012`));
    const { stdout } = await driver("doctor", ofDriver);
    assert.match(stdout, new RegExp(`"check":"account","result":"problem".*${other}`));
    assert.deepEqual(await made(), before);
  });

  it("is in the account whose role the file names: resources, gates and lease", async () => {
    editStack(name, (config) => {
      config["aws:assumeRoles"] = [{ roleArn, sessionName: "handover" }];
    });
    await succeeds(driver("upgrade"));
    assert.deepEqual(await has(await assumed()), { networks: 1, servers: 2, tables: 1 });
    assert.deepEqual(await has(observer), { networks: 0, servers: 0, tables: 0 });
    const status = JSON.parse(await succeeds(driver("status")));
    assert.deepEqual([status.live, status.missing], ["blue", []]);
    await succeeds(pulumi(["preview", "--expect-no-changes"]));
    await succeeds(pulumi(["refresh", "--preview-only", "--expect-no-changes"]));
  });

  it("is not made a second time from an empty backend, by the driver or by hand, and keeps its table", async () => {
    const twin = { ...env, PULUMI_BACKEND_URL: `file://${mkdtempSync(join(folder, "twin-"))}` };
    const before = await made();
    const text = readFileSync(file);
    const refused = await driver("upgrade", twin);
    assert.equal(refused.exitCode, 1, refused.stdout + refused.stderr);
    assert.match(refused.stdout, /another-site.*is empty in backend file:.*twin-/);
    await succeeds(run("pulumi", ["stack", "select", "--create", name], twin));
    const byHand = await pulumi(["up", "--yes", "--skip-preview"], twin);
    assert.notEqual(byHand.exitCode, 0, byHand.stdout);
    assert.match(byHand.stdout + byHand.stderr, /ledger.*[\s\S]*(ResourceInUse|already exists|in use)/i);
    const { "dynamodb.CreateTable": tables = 0, ...others } = await made();
    const { "dynamodb.CreateTable": tablesBefore = 0, ...othersBefore } = before;
    assert.deepEqual(others, othersBefore);
    assert.ok(tables > tablesBefore, "the table was asked for first");
    await succeeds(pulumi(["destroy", "--yes", "--skip-preview"], twin));
    assert.deepEqual(await has(await assumed()), { networks: 1, servers: 2, tables: 1 });
    writeFileSync(file, text);
  });

  it("is not ended by who destroys a copy of its state", async () => {
    const copy = { ...env, PULUMI_BACKEND_URL: `file://${mkdtempSync(join(folder, "copy-"))}` };
    const state = join(folder, "state.json");
    const text = readFileSync(file);
    await succeeds(pulumi(["stack", "export", "--file", state]));
    await succeeds(run("pulumi", ["stack", "init", name], copy));
    await succeeds(pulumi(["stack", "import", "--file", state], copy));
    const before = await made();
    const destroyed = await pulumi(["destroy", "--yes", "--skip-preview"], copy);
    assert.notEqual(destroyed.exitCode, 0, destroyed.stdout);
    assert.match(destroyed.stdout + destroyed.stderr, /protect/);
    assert.deepEqual(await made(), before);
    writeFileSync(file, text);
  });

  it("gets its id with the next update where it is older than ids, and nothing else changes", async () => {
    await forgetIds();
    const drive = await succeeds(driver("upgrade"));
    const applied = drive
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter(({ type }) => type === "applied");
    assert.equal(applied.length, 1, drive);
    const [{ operations }] = applied;
    assert.deepEqual(operations, [
      { ...operations[0], op: "update", type: "aws:dynamodb/table:Table", name: "ledger" },
    ]);
    const id = JSON.parse(await succeeds(pulumi(["stack", "output", "siteId", "--json"])));
    assert.match(id, /^[0-9a-f]{16}$/);
    assert.equal((await tableTags())["handover:site-id"], id);
    await succeeds(pulumi(["preview", "--expect-no-changes"]));
  });

  it("is the same site when its stack is renamed, with the table that it has", async () => {
    const renamed = `${name}-renamed`;
    const ofRenamed = join(projectDirectory, `Pulumi.${renamed}.yaml`);
    await succeeds(pulumi(["stack", "rename", renamed]));
    try {
      await succeeds(run("pulumi", ["preview", "--expect-no-changes", "--stack", renamed, "--non-interactive"], env));
      const status = await run(process.execPath, [main, "status", "--stack", renamed, "--json"], env);
      assert.equal(JSON.parse(await succeeds(Promise.resolve(status))).live, "blue");
      await succeeds(run(process.execPath, [main, "history", "--stack", renamed, "--json"], env));
    } finally {
      rmSync(ofRenamed, { force: true });
    }
  });

  /** The site as it was before sites had ids. */
  async function forgetIds(): Promise<void> {
    const exported = join(folder, "old.json");
    await succeeds(pulumi(["stack", "export", "--file", exported]));
    const state = JSON.parse(readFileSync(exported, "utf8"), (key, value) => {
      if (key === "siteId" || key === "handover:site-id") return undefined;
      return Array.isArray(value) ? value.filter((each) => each !== 'tags["handover:site-id"]') : value;
    });
    writeFileSync(exported, JSON.stringify(state));
    await succeeds(pulumi(["stack", "import", "--file", exported]));
    const credentials = await assumed();
    const dynamodb = new DynamoDBClient({ ...settings(), credentials });
    const { Table } = await dynamodb.send(new DescribeTableCommand(table));
    const ResourceArn = Table?.TableArn;
    await dynamodb.send(new UntagResourceCommand({ ResourceArn, TagKeys: ["handover:site-id"] }));
    assert.equal((await tableTags())["handover:site-id"], undefined);
  }

  async function tableTags(): Promise<Record<string, string | undefined>> {
    const dynamodb = new DynamoDBClient({ ...settings(), credentials: await assumed() });
    const { Table } = await dynamodb.send(new DescribeTableCommand(table));
    const { Tags = [] } = await dynamodb.send(new ListTagsOfResourceCommand({ ResourceArn: Table?.TableArn }));
    return Object.fromEntries(Tags.map(({ Key = "", Value }) => [Key, Value]));
  }
});
