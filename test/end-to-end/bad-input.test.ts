import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { DescribeInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { observer } from "../../sandbox/observer.ts";
import { editStack, environmentOf, handover } from "./command-line.ts";

const name = "sandbox-bad-input";
const file = `Pulumi.${name}.yaml`;

describe("bad input", () => {
  let good = "";
  let ec2: EC2Client;

  before(async () => {
    const { exitCode, stdout, stderr } = await handover("sandbox", "up", "--name", name);
    assert.equal(exitCode, 0, stdout + stderr);
    good = readFileSync(file, "utf8");
    const env = await environmentOf(name);
    ec2 = new EC2Client({
      endpoint: env.AWS_ENDPOINT_URL,
      region: env.AWS_REGION,
      credentials: observer,
    });
  });
  afterEach(() => writeFileSync(file, good));
  after(async () => {
    ec2.destroy();
    await handover("sandbox", "down", "--name", name);
  });

  // biome-ignore lint/suspicious/noExplicitAny: tests write bad input on purpose
  type Edit = (config: Record<string, any>) => void;
  const cases: [string, Edit, RegExp][] = [
    [
      "an unknown key",
      (c) => {
        c["handover:site"].colour = "red";
      },
      /handover:site\.colour: unknown key/,
    ],
    [
      "a goal that is not declared",
      (c) => {
        c["handover:live"] = "red";
      },
      /handover:live: there is no generation "red"/,
    ],
    [
      "an image that the instance type cannot run",
      (c) => {
        c["handover:live"] = "green";
        c["handover:generations"].green.instanceType = "t4g.small";
      },
      /handover:generations\.green: image ami-\w+ is built for x86_64, and t4g\.small runs arm64/,
    ],
    [
      "an image that does not exist",
      (c) => {
        c["handover:live"] = "green";
        c["handover:generations"].green.imageId = "ami-0fffffffffffffff0";
      },
      /handover:generations\.green\.imageId: ami-0fffffffffffffff0 does not exist/,
    ],
    [
      "a key pair that does not exist",
      (c) => {
        c["handover:live"] = "green";
        c["handover:generations"].green.keyName = "nobodys";
      },
      /handover:generations\.green: AWS would not launch it in subnet-\w+ \(InvalidKeyPair\.NotFound/,
    ],
    [
      "another port of a live site",
      (c) => {
        c["handover:site"].port = 9090;
      },
      /handover:site\.port: was 8080 and is 9090, but the servers of blue listen on 8080/,
    ],
    [
      "an instance type that does not exist",
      (c) => {
        c["handover:live"] = "green";
        c["handover:generations"].green.instanceType = "t3.gigantic";
      },
      /handover:generations\.green\.instanceType: t3\.gigantic does not exist/,
    ],
    [
      "a new goal together with the live generation's definition",
      (c) => {
        c["handover:live"] = "green";
        c["handover:generations"].blue.inputs.APP_REVISION = "40";
      },
      /inputs\.APP_REVISION of the live generation changed together with handover:live/,
    ],
    [
      "a user data file that is not there",
      (c) => {
        c["handover:generations"].green.userDataFile = "nowhere.yaml";
      },
      /userDataFile: there is no file nowhere\.yaml/,
    ],
  ];
  for (const [what, edit, message] of cases) {
    it(`refuses ${what} with exit code 1, one message, and nothing created`, async () => {
      editStack(name, edit);
      const { exitCode, stdout, stderr } = await handover("upgrade", "--stack", name);
      assert.deepEqual([exitCode, stdout], [1, ""], stderr);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n {4}at /);
      const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}));
      assert.equal(Reservations.flatMap(({ Instances = [] }) => Instances).length, 2);
    });
  }

  it("refuses YAML that does not parse", async () => {
    writeFileSync(file, "config:\n  a: [1\n");
    const { exitCode, stderr } = await handover("upgrade", "--stack", name);
    assert.equal(exitCode, 1);
    assert.match(stderr, /Pulumi\.sandbox-bad-input\.yaml: is not YAML/);
  });

  it("refuses a stack that it does not know, as JSON when asked for", async () => {
    const { exitCode, stdout } = await handover("upgrade", "--stack", "nowhere", "--json");
    const { error } = JSON.parse(stdout);
    assert.deepEqual([exitCode, error.code], [1, "unknown-stack"]);
  });
});
