/**
 * Keeps another `pulumi-resource-aws` than ours up, and in reach at one port: plugin.ts EXECUTABLE --port N
 *
 * A plugin that is started without an engine takes any port and prints it, so what connects to N is passed on to
 * the one that runs. https://github.com/pulumi/pulumi/blob/master/pkg/resource/provider/main.go
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const [executable = "", , port] = process.argv.slice(2);

function start() {
  const plugin = spawn(executable, [], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<string>((resolve) => {
    plugin.once("error", (error) => resolve(error.message));
    plugin.once("exit", (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`));
  });
  const lines = createInterface({ input: plugin.stdout });
  const listens = once(lines, "line").then(([line]) => Number(line));
  lines.on("line", console.log);
  return { plugin, ended, port: Promise.race([listens, ended]) };
}

let running = start();
const first = await running.port;
if (typeof first === "string" || !Number.isInteger(first)) {
  console.error(`${executable} is no plugin: ${typeof first === "string" ? first : "it printed no port"}`);
  running.plugin.kill();
  process.exit(1);
}

const relay = createServer(async (client) => {
  client.on("error", () => client.destroy());
  const target = await running.port;
  if (typeof target === "string") return client.destroy();
  const plugin = connect({ host: "127.0.0.1", port: target });
  plugin.on("error", () => client.destroy());
  client.on("close", () => plugin.destroy());
  plugin.on("close", () => client.destroy());
  client.pipe(plugin).pipe(client);
});
relay.listen(Number(port), "127.0.0.1", () => console.log("ready"));

process.on("SIGTERM", () => {
  running.plugin.kill("SIGTERM");
  process.exit(0);
});

for (;;) {
  console.log(`${executable}: ${await running.ended}; starting it again`);
  await sleep(100);
  running = start();
}
