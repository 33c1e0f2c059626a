import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { sandboxDirectory } from "../../sandbox/environment.ts";
import { checkedPlugin } from "../../sandbox/plugin-check.ts";
import { isRunning, stopProcess } from "../../sandbox/processes.ts";
import { up } from "../../sandbox/sandbox.ts";
import { projectDirectory } from "../../stacks/project.ts";
import { eventually } from "./support.ts";

/** Knows no resource type, as a plugin of another package does not know those of AWS. */
const foreign = `#!${process.execPath}
const from = require("node:module").createRequire("${join(projectDirectory, "package.json")}");
const grpc = from("@grpc/grpc-js");
const server = new grpc.Server();
server.addService(from("@pulumi/pulumi/proto/provider_grpc_pb.js").ResourceProviderService, {
  check: ({ request }, done) => done({ message: "unrecognized resource type (Check): " + request.getUrn().split("::")[2] }),
});
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => console.log(port));
`;

/** Prints its port, as a plugin does without an engine, and answers with its process id. */
const fake = `#!${process.execPath}
const server = require("node:net").createServer((socket) => socket.end(String(process.pid)));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
`;

describe("another plugin than the sandbox's own", () => {
  const directory = mkdtempSync(join(tmpdir(), "handover-plugin-"));
  const services: ChildProcess[] = [];

  after(async () => {
    for (const { pid } of services) await stopProcess(pid);
    rmSync(directory, { recursive: true });
  });

  function executable(name: string, content: string, mode = 0o755): string {
    const file = join(directory, name);
    writeFileSync(file, content);
    chmodSync(file, mode);
    return file;
  }

  async function keep(plugin: string): Promise<{ readonly service: ChildProcess; readonly port: number }> {
    const port = await freePort();
    const module = join(import.meta.dirname, "../../sandbox/plugin.ts");
    const service = spawn(process.execPath, [module, plugin, "--port", String(port)]);
    services.push(service);
    return { service, port };
  }

  it("is reached at the sandbox's port, and again after it was killed; it ends with the sandbox", async () => {
    const { service, port } = await keep(executable("fake", fake));
    assert.ok(service.stdout !== null);
    for await (const line of createInterface({ input: service.stdout })) if (line === "ready") break;
    const first = await answer(port);
    assert.ok(isRunning(first));
    process.kill(first, "SIGKILL");
    let second = first;
    await eventually(async () => {
      second = await answer(port);
      return second > 0 && second !== first;
    }, "the plugin answers again");
    service.kill("SIGTERM");
    await eventually(async () => !isRunning(second), "the plugin ended");
  });

  it("is asked, and ended again, before it is used", async () => {
    const own = join(projectDirectory, "provider", "pulumi-resource-aws");
    const pid = join(directory, "pid");
    const script = executable("wrapped", `#!/bin/sh\necho $$ > ${pid}\n${own}\n`);
    assert.equal(await checkedPlugin(script), script);
    const started = Number(readFileSync(pid, "utf8"));
    await eventually(async () => !isRunning(started) && !isGroup(started), "the end of script and plugin");
  });

  const asked = "aws:ec2/instance:Instance";
  const bad: readonly [string, () => string, RegExp][] = [
    ["nothing", () => join(directory, "nowhere"), /nowhere is no executable file/],
    ["a folder", () => directory, /is no executable file/],
    ["no executable file", () => executable("text", fake, 0o644), /text is no executable file/],
    ["no program", () => executable("empty", "#!/nowhere/sh\n"), /empty is no plugin: spawn .* ENOENT/],
    [
      "a program that ends",
      () => executable("ends", "#!/bin/sh\necho no key >&2\nexit 3\n"),
      /ends is no plugin: it ended with exit code 3 \("no key"\)/,
    ],
    [
      "a program that prints something else",
      () => executable("talks", "#!/bin/sh\necho hello\nexec sleep 60\n"),
      /talks is no plugin: it printed no port \("hello"\)/,
    ],
    [
      "a program that does not understand the question",
      () => executable("other", fake),
      new RegExp(`other is no plugin for AWS: asked about ${asked} it says "`),
    ],
    [
      "a plugin of another package",
      () => executable("foreign", foreign),
      new RegExp(`foreign is no plugin for AWS: asked about ${asked} it says "unrecognized resource type`),
    ],
  ];

  for (const [what, plugin, message] of bad) {
    it(`is refused before anything is started when it is ${what}`, async () => {
      const name = "sandbox-no-plugin";
      await assert.rejects(up({ name, plugin: plugin() }), { code: "no-plugin", exitCode: 1, message });
      assert.ok(!existsSync(sandboxDirectory(name)));
    });
  }

  it("is refused where the environment names it, too", async () => {
    process.env.HANDOVER_SANDBOX_PLUGIN = join(directory, "nowhere");
    try {
      const refused = up({ name: "sandbox-no-plugin" });
      await assert.rejects(refused, { code: "no-plugin", exitCode: 1, message: /nowhere is no executable file/ });
    } finally {
      delete process.env.HANDOVER_SANDBOX_PLUGIN;
    }
  });
});

function isGroup(id: number): boolean {
  try {
    return process.kill(-id, 0);
  } catch {
    return false;
  }
}

async function answer(port: number): Promise<number> {
  try {
    return Number(await text(connect({ host: "127.0.0.1", port })));
  } catch {
    return 0;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}
