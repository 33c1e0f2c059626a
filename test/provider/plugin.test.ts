import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import grpc from "@grpc/grpc-js";
import rpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import { fromStruct, toStruct } from "../../provider/values.ts";
import { isRunning, stopProcess } from "../../sandbox/processes.ts";
import { eventually } from "../sandbox/support.ts";

const plugin = join(import.meta.dirname, "../../provider/pulumi-resource-aws");

describe("The provider's process", function () {
  this.timeout(30_000);
  const started: ChildProcess[] = [];

  afterEach(async () => {
    for (const child of started.splice(0)) await stopProcess(child.pid);
  });

  function start(command: string, args: string[]): ChildProcess {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    started.push(child);
    return child;
  }

  it("says its port and that it is ready, and ends on SIGTERM", async () => {
    const child = start(plugin, ["--port", "0"]);
    const output = await read(child, /ready\n/);
    assert.match(output, /^\d+\nready\n$/);
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "exit"), [0, null]);
  });

  it("ends when the engine that started it is gone", async () => {
    const engine = start("bash", ["-c", `'${plugin}' 127.0.0.1:1 & echo "pid $!"; wait`]);
    const output = await read(engine, /pid \d+\n[\s\S]*\d+\n|\d+\npid \d+\n/);
    const pid = Number(/pid (\d+)/.exec(output)?.[1]);
    assert.ok(isRunning(pid));
    engine.kill("SIGKILL");
    await eventually(async () => !isRunning(pid), "the end of the provider");
  });

  it("ends on the SIGINT with which an engine ends it, and not on that of a terminal when it stays up", async () => {
    const child = start(plugin, ["127.0.0.1:1"]);
    await read(child, /^\d+\n/);
    child.kill("SIGINT");
    assert.deepEqual(await once(child, "exit"), [0, null]);
    const staying = start(plugin, ["--port", "0"]);
    const port = /^\d+/.exec(await read(staying, /ready\n/))?.[0];
    staying.kill("SIGINT");
    const client = new rpc.ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    assert.deepEqual(await call(client, "checkConfig", new messages.CheckRequest().setNews(toStruct({}))), []);
    client.close();
  });

  it("answers errors, not ends", async () => {
    const child = start(plugin, ["--port", "0"]);
    const port = /^\d+/.exec(await read(child, /ready\n/))?.[0];
    const client = new rpc.ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    const urn = "urn:pulumi:test::handover::aws:s3/bucket:Bucket::b";
    const refused = await call(client, "check", new messages.CheckRequest().setUrn(urn));
    assert.equal(refused, "aws:s3/bucket:Bucket is not supported by Handover's provider");
    const config = toStruct({ region: "us-east-1", customCaBundle: "a" });
    const checked = await call(client, "checkConfig", new messages.CheckRequest().setNews(config));
    assert.deepEqual(checked, ["aws:customCaBundle is not supported by Handover's provider"]);
    assert.ok(isRunning(child.pid ?? 0));
    client.close();
  });

  it("keeps numbers, lists and nothing apart in the values of the protocol", () => {
    const values = { a: 1.5, b: [true, "x", { c: null }], d: {}, e: undefined };
    assert.deepEqual(fromStruct(toStruct(values)), { a: 1.5, b: [true, "x", { c: null }], d: {} });
  });
});

/** An error's text, or the reasons of the failures. */
function call(client: grpc.Client, method: string, message: messages.CheckRequest): Promise<string | string[]> {
  const call = (client as unknown as Record<string, (...args: unknown[]) => void>)[method];
  return new Promise((resolve) => {
    call?.call(client, message, (error: grpc.ServiceError | null, response: messages.CheckResponse) => {
      resolve(error?.details ?? response.getFailuresList().map((failure) => failure.getReason()));
    });
  });
}

async function read(child: ChildProcess, until: RegExp): Promise<string> {
  let output = "";
  for await (const data of child.stdout ?? []) {
    output += String(data);
    if (until.test(output)) return output;
  }
  throw new Error(`the process ended: ${output}`);
}
