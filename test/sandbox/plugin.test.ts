import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { sandboxDirectory } from "../../sandbox/environment.ts";
import { isRunning, stopProcess } from "../../sandbox/processes.ts";
import { up } from "../../sandbox/sandbox.ts";
import { eventually } from "./support.ts";

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

  function executable(name: string, content: string): string {
    const file = join(directory, name);
    writeFileSync(file, content);
    chmodSync(file, 0o755);
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

  it("is refused when it ends instead of printing its port, or prints something else", async () => {
    for (const [name, content, problem] of [
      ["ends", "#!/bin/sh\nexit 3\n", /ends is no plugin: it ended with exit code 3/],
      ["talks", "#!/bin/sh\necho hello\nexec sleep 60\n", /talks is no plugin: it printed no port/],
    ] as const) {
      const { service } = await keep(executable(name, content));
      assert.ok(service.stderr !== null);
      const [said, [exitCode]] = await Promise.all([text(service.stderr), once(service, "exit")]);
      assert.match(said, problem);
      assert.equal(exitCode, 1);
    }
  });

  it("is refused before anything is started when it cannot be, also where the environment names it", async () => {
    const name = "sandbox-no-plugin";
    writeFileSync(join(directory, "text"), "");
    for (const plugin of [join(directory, "nowhere"), join(directory, "text"), directory]) {
      await assert.rejects(up({ name, plugin }), { code: "no-plugin", exitCode: 1, message: /is no executable file/ });
    }
    process.env.HANDOVER_SANDBOX_PLUGIN = join(directory, "nowhere");
    try {
      await assert.rejects(up({ name }), { code: "no-plugin", exitCode: 1, message: /nowhere is no executable file/ });
    } finally {
      delete process.env.HANDOVER_SANDBOX_PLUGIN;
    }
    assert.ok(!existsSync(sandboxDirectory(name)));
  });
});

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
