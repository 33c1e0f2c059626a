import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import grpc from "@grpc/grpc-js";
import rpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import { HandoverError } from "../automation/errors.ts";
import { toStruct } from "../provider/values.ts";
import { types } from "../stacks/names.ts";
import { startPlugin } from "./plugin-process.ts";

/** Patience with a program that does not say whether it is a plugin, in seconds. The official one takes one or two. */
const patienceSeconds = 30;

/**
 * The path of a plugin that knows AWS's resources: it is started, asked, and ended again.
 * @throws HandoverError `no-plugin` (exit 1); nothing of the sandbox was started
 */
export async function checkedPlugin(plugin: string): Promise<string> {
  const path = resolve(plugin);
  const problem = isProgram(path) ? await objectionTo(path) : "is no executable file";
  if (problem === undefined) return path;
  throw new HandoverError(
    "no-plugin",
    1,
    `--plugin, or HANDOVER_SANDBOX_PLUGIN: ${path} ${problem}. Nothing was started. Name a pulumi-resource-aws, for example the official one: ~/.pulumi/plugins/resource-aws-vVERSION/pulumi-resource-aws`,
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

async function objectionTo(path: string): Promise<string | undefined> {
  let said = "";
  const plugin = startPlugin(path, (line) => {
    said = line.trim() || said;
  });
  const deadline = AbortSignal.timeout(patienceSeconds * 1000);
  const late = new Promise<string>((done) => {
    deadline.addEventListener("abort", () => done(`it printed no port for ${patienceSeconds} s`));
  });
  const port = await Promise.race([plugin.port, late]);
  const objection = typeof port === "string" ? `is no plugin: ${port}${said && ` ("${said}")`}` : await ask(port);
  plugin.kill("SIGKILL");
  return objection;
}

/** Plugins of other packages know no instance, and what is no plugin does not understand the question. */
function ask(port: number): Promise<string | undefined> {
  const client = new rpc.ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    "grpc.enable_http_proxy": 0,
  });
  const urn = `urn:pulumi:sandbox::handover::${types.instance}::asked`;
  const request = new messages.CheckRequest().setUrn(urn).setNews(toStruct({})).setOlds(toStruct({}));
  const deadline = Date.now() + patienceSeconds * 1000;
  return new Promise((done) => {
    client.check(request, new grpc.Metadata(), { deadline }, (error) => {
      client.close();
      done(
        error === null ? undefined : `is no plugin for AWS: asked about ${types.instance} it says "${error.details}"`,
      );
    });
  });
}
