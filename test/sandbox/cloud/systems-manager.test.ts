import assert from "node:assert/strict";
import { RunInstancesCommand } from "@aws-sdk/client-ec2";
import { CreateDocumentCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { SystemsManager } from "../../../automation/cloud/systems-manager.ts";
import { closing, leftIn, opening } from "../../../automation/quiet/quiet-move.ts";
import { projectDirectory } from "../../../stacks/project.ts";
import { userData } from "../../../stacks/user-data.ts";
import { exampleConfig } from "../../stacks/shape.ts";
import { cloudForTests, eventually, type TestCloud } from "../support.ts";

interface Snapshot {
  readonly id: string;
  readonly privateIp: string;
  readonly quietPorts: readonly number[];
}

const quiet = (address: string) => ({
  addresses: address === "" ? [] : [address],
  port: 8080,
  blocks: ["10.0.0.0/16"],
  quietSeconds: 20,
});

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

  it("does not wait for a script that does not end, and ends it", async () => {
    const cancelled = async () =>
      ((await cloud.control("GET", "calls")) as Record<string, number>)["ssm.CancelCommand"] ?? 0;
    const before = await cancelled();
    const [end] = (await shell(["sleep 600"], 1)).values();
    assert.equal(end?.status, "TimedOut");
    assert.equal(await cancelled(), before + 1);
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

  it("is not waited for longer than a document allows", async () => {
    const slow = { kind: "latency", operation: "GetCommandInvocation", milliseconds: 5_000 };
    await cloud.control("POST", "faults", slow);
    const document = { name: "AWS-RunShellScript", parameters: { commands: ["true"] }, timeoutSeconds: 30 };
    try {
      const run = manager.run({ ...document, answerSeconds: 0.2 }, instances, signal);
      await assert.rejects(run, { message: "Systems Manager did not answer within 0.2 s" });
    } finally {
      await cloud.control("DELETE", "faults");
    }
  });

  it("says which instances it reaches", async () => {
    assert.deepEqual([...(await manager.unreached(instances))], []);
    const none = "i-0123456789abcdef0";
    assert.deepEqual([...(await manager.unreached([...instances, none]))], [[none, "no agent of it has registered"]]);
    const files = [{ path: "/etc/handover/inputs.env", content: 'SIMULATE="slow=1,no-agent"\n' }];
    const content = `#cloud-config\n${JSON.stringify({ write_files: files })}`;
    const data = `#cloud-config-archive\n${JSON.stringify([{ type: "text/cloud-config", content }])}`;
    const launch = { ImageId: "ami-0a1b2c3d4e5f60001", MinCount: 1, MaxCount: 1, UserData: btoa(data) };
    const { Instances: [{ InstanceId = "" } = {}] = [] } = await cloud.ec2.send(new RunInstancesCommand(launch));
    assert.equal((await manager.unreached([InstanceId])).size, 1);
    await assert.rejects(manager.run({ ...opening(quiet("")), timeoutSeconds: 1 }, [InstanceId], signal), {
      name: "InvalidInstanceId",
    });
  });

  describe("with the script of quiet moves", () => {
    let instanceId: string;
    let privateIp: string;
    before(async () => {
      [instanceId = ""] = instances;
      const { instances: all } = (await cloud.control("GET", "state")) as { instances: Snapshot[] };
      privateIp = all.find(({ id }) => id === instanceId)?.privateIp ?? "";
    });

    const ports = async () => {
      const { instances: all } = (await cloud.control("GET", "state")) as { instances: Snapshot[] };
      return all.find(({ id }) => id === instanceId)?.quietPorts;
    };
    const end = async (document: ReturnType<typeof opening>) =>
      (await manager.run(document, [instanceId], signal)).get(instanceId);
    /** As the network does, until the work is over. */
    const reporting = async <T>(busy: (look: number) => string[], work: Promise<T>): Promise<T> => {
      let isOver = false;
      const tell = async () => {
        for (let look = 0; !isOver; look++) {
          const report = [{ instanceId, established: 3, busy: busy(look) }];
          if ((await ports())?.length === 1) await cloud.control("POST", "connections", report);
        }
      };
      const telling = tell();
      const done = await work.finally(() => {
        isOver = true;
      });
      await telling;
      return done;
    };

    it("holds new connections back, and waits until what is in flight has been answered", async () => {
      const waits = end(closing(quiet(privateIp)));
      const { output = "" } = (await reporting((look) => (look < 40 ? ["a", "b"] : ["later"]), waits)) ?? {};
      const [left] = leftIn(output) ?? [];
      assert.deepEqual({ ...left, milliseconds: 0 }, { address: privateIp, established: 3, busy: 1, milliseconds: 0 });
      assert.deepEqual(await ports(), [8080]);
    });

    it("tells each server's end in one call, that of one which is not managed too", async () => {
      const none = "i-0123456789abcdef0";
      const ends = new Map<string, string>();
      const calls = async () => (await cloud.control("GET", "calls")) as Record<string, number>;
      const before = await calls();
      const document = opening({ ...quiet(privateIp), addresses: [privateIp, "127.0.0.9"] });
      await manager.runOnEach(document, instances, signal, async (id, { status }) => void ends.set(id, status));
      assert.equal(ends.size, instances.length);
      assert.equal(ends.get(instanceId), "Success");
      const after = await calls();
      assert.equal((after["ssm.SendCommand"] ?? 0) - (before["ssm.SendCommand"] ?? 0), 1);
      assert.equal(after["ssm.GetCommandInvocation"], before["ssm.GetCommandInvocation"]);
      ends.clear();
      await manager.runOnEach(
        document,
        [instanceId, none],
        signal,
        async (id, { status }) => void ends.set(id, status),
      );
      assert.deepEqual(Object.fromEntries(ends), { [instanceId]: "Success", [none]: "InvalidInstanceId" });
    });

    it("lets them in again when it is told to", async () => {
      assert.equal((await end(opening(quiet(privateIp))))?.status, "Success");
      assert.deepEqual(await ports(), []);
    });

    it("waits no longer than it may, and lets them in again when its timer is over", async () => {
      const document = closing({ ...quiet(privateIp), quietSeconds: 1 });
      const [set = "", ...script] = document.parameters.commands ?? [];
      const sooner = { ...document, parameters: { commands: [set.replace(/ 31$/, " 2"), ...script] } };
      const { output = "" } = (await reporting(() => ["a"], end(sooner))) ?? {};
      assert.equal(leftIn(output)?.[0]?.busy, 1);
      await eventually(async () => (await ports())?.length === 0);
    });

    it("fails where an address is not the server's, or nobody knows what is established", async () => {
      assert.equal((await end(closing(quiet("127.0.0.9"))))?.status, "Failed");
      assert.equal((await end(closing({ ...quiet(privateIp), quietSeconds: 1 })))?.status, "Failed");
      await end(opening(quiet(privateIp)));
    });
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
