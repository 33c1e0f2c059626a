import grpc from "@grpc/grpc-js";
import rpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { Provider } from "./provider.ts";
import { service } from "./service.ts";
import { Simulation } from "./simulation.ts";

/**
 * `pulumi-resource-aws ENGINE`, as the engine starts it, ends with the engine.
 * `pulumi-resource-aws --port N` stays up for engines with `PULUMI_DEBUG_PROVIDERS=aws:N`; 0 takes any free port.
 * With `--simulate` nothing is changed in the cloud: what would be done is imagined (simulation.ts).
 */
const portFlag = process.argv.indexOf("--port");
const staysUp = portFlag >= 0;
const port = staysUp ? Number(process.argv[portFlag + 1]) : 0;

const provider = process.argv.includes("--simulate") ? new Simulation() : new Provider();

const server = new grpc.Server({
  "grpc.max_receive_message_length": 400 * 1024 * 1024,
  "grpc.max_send_message_length": 400 * 1024 * 1024,
});
server.addService(rpc.ResourceProviderService as unknown as grpc.ServiceDefinition, service(provider));

server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, bound) => {
  if (error !== null) {
    console.error(error.message);
    process.exit(1);
  }
  console.log(bound);
  if (staysUp) console.log("ready");
});

process.on("SIGTERM", () => process.exit(0));
process.on("SIGINT", () => {
  // An engine ends its plugin so. A terminal interrupts its whole group, and whoever started this one ends it.
  if (!staysUp) process.exit(0);
});
process.on("unhandledRejection", (reason) => console.error(reason));

if (!staysUp) {
  const engine = process.ppid;
  setInterval(() => {
    if (process.ppid !== engine) process.exit(0);
  }, 500).unref();
}
