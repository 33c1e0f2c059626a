import assert from "node:assert/strict";
import { RunInstancesCommand } from "@aws-sdk/client-ec2";
import { CreateDocumentCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { SystemsManager } from "../../../automation/cloud/systems-manager.ts";
import { projectDirectory } from "../../../stacks/project.ts";
import { userData } from "../../../stacks/user-data.ts";
import { exampleConfig } from "../../stacks/shape.ts";
import { cloudForTests, type TestCloud } from "../support.ts";

describe("the cloud's Systems Manager", function () {
  this.timeout(60_000);
  const { signal } = new AbortController();
  let cloud: TestCloud;
  let client: SSMClient;
  let manager: SystemsManager;
  let instances: string[];

  before(async () => {
    cloud = await cloudForTests({ bootSeconds: 0 });
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    const settings = { endpoint: cloud.url, region: "us-east-1", credentials };
    client = new SSMClient(settings);
    manager = new SystemsManager({
      region: settings.region,
      credentials: async () => credentials,
      endpoints: { ssm: cloud.url },
      secrets: [],
    });
    const config = exampleConfig((values) => {
      values.generations.blue.inputs.GREETING = 'a "b" $c';
    });
    const blue = config.generations.blue ?? assert.fail();
    const command = new RunInstancesCommand({
      ImageId: blue.imageId,
      MinCount: 2,
      MaxCount: 2,
      UserData: Buffer.from(userData(blue, config.site, projectDirectory)).toString("base64"),
    });
    const { Instances = [] } = await cloud.ec2.send(command);
    instances = Instances.map(({ InstanceId = "" }) => InstanceId);
  });

  after(async () => {
    client.destroy();
    manager.close();
    await cloud.stop();
  });

  const shell = (commands: string[], timeoutSeconds = 30) =>
    manager.run({ name: "AWS-RunShellScript", parameters: { commands }, timeoutSeconds }, instances, signal);

  it("runs a script on each instance, with its inputs as environment and nothing of its own", async () => {
    const ends = await shell(['echo "$APP_REVISION $GREETING"', "env | grep -c PYTHON", "echo trouble >&2"]);
    const expected = { status: "Success", exitCode: 0, output: '41 a "b" $c\n0\n\ntrouble\n' };
    assert.deepEqual(
      [...ends],
      instances.map((id) => [id, expected]),
    );
  });

  it("tells how a script failed", async () => {
    const [end] = (await shell(["echo before", "exit 3"])).values();
    assert.deepEqual(end, { status: "Failed", exitCode: 3, output: "before\n" });
  });

  it("does not wait for a script that does not end", async () => {
    const [end] = (await shell(["sleep 600"], 1)).values();
    assert.equal(end?.status, "TimedOut");
  });

  it("runs the shell steps of a document of one's own, with its parameters", async () => {
    const content = {
      schemaVersion: "2.2",
      description: "greets",
      parameters: { name: { type: "String", default: "nobody" } },
      mainSteps: [{ action: "aws:runShellScript", name: "greet", inputs: { runCommand: ["echo hello {{ name }}"] } }],
    };
    const document = { Name: "greet", Content: JSON.stringify(content), DocumentType: "Command" } as const;
    await client.send(new CreateDocumentCommand({ ...document, DocumentFormat: "JSON" }));
    const run = { name: "greet", parameters: { name: ["green"] }, timeoutSeconds: 30 };
    const [end] = (await manager.run(run, instances, signal)).values();
    assert.deepEqual(end, { status: "Success", exitCode: 0, output: "hello green\n" });
  });

  it("does not know an instance that does not run", async () => {
    const run = { name: "AWS-RunShellScript", parameters: { commands: ["true"] }, timeoutSeconds: 30 };
    await assert.rejects(manager.run(run, ["i-0123456789abcdef0"], signal), { name: "InvalidInstanceId" });
  });

  it("gives the parameters right under a path, all of them, and says which are secret", async () => {
    const put = (Name: string, Value: string, Type: "String" | "SecureString") =>
      client.send(new PutParameterCommand({ Name, Value, Type }));
    for (let number = 1; number <= 12; number++) await put(`/www/blue/KEY_${number}`, String(number), "String");
    await put("/www/blue/PASSWORD", "s3cret", "SecureString");
    await put("/www/blue/below/OTHER", "x", "String");
    const found = await manager.parametersUnder("/www/blue");
    assert.equal(Object.keys(found).length, 13);
    assert.deepEqual(found.PASSWORD, { value: "s3cret", secret: true });
    assert.deepEqual(found.KEY_12, { value: "12", secret: false });
  });
});
