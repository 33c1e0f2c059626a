/**
 * Keeps another `pulumi-resource-aws` than ours up, and in reach at one port: plugin.ts EXECUTABLE --port N
 *
 * A plugin that is started without an engine takes any port and prints it, so what connects to N is passed on to
 * the one that runs. https://github.com/pulumi/pulumi/blob/master/pkg/resource/provider/main.go
 */
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { startPlugin } from "./plugin-process.ts";

const [executable = "", , port] = process.argv.slice(2);
let running = startPlugin(executable, console.log);

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
  running.kill("SIGTERM");
  process.exit(0);
});

for (;;) {
  console.log(`${executable}: ${await running.ended}; starting it again`);
  await sleep(100);
  running = startPlugin(executable, console.log);
}
