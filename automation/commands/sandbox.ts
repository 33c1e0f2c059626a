import { deploy } from "../../sandbox/deploy.ts";
import { exportLines } from "../../sandbox/environment.ts";
import { addFault, clearFaults, faultKinds } from "../../sandbox/faults.ts";
import { down, environmentOf, find, get, up } from "../../sandbox/sandbox.ts";
import { statusOf } from "../../sandbox/status.ts";
import { parseDuration } from "../duration.ts";
import { exitCodes, HandoverError } from "../errors.ts";
import { progressLines } from "../report/progress.ts";
import { type Command, note, print, printJson } from "./command.ts";

interface Arguments {
  readonly action: string;
  readonly name: string;
  readonly like: string;
  readonly frontends?: number;
  readonly kind?: string;
  readonly rate?: number;
  readonly operation?: string;
  readonly status?: number;
  readonly milliseconds?: number;
  readonly for?: string;
}

export const sandboxCommand: Command<Arguments> = {
  command: "sandbox <action> [kind]",
  describe: "an AWS on this machine: up, env, status, fault, down",
  builder: (yargs) =>
    yargs
      .positional("action", {
        choices: ["up", "env", "status", "fault", "down"],
        demandOption: true,
        describe: "what to do",
      })
      .positional("kind", { choices: [...faultKinds, "clear"], describe: "what goes wrong in the cloud, with `fault`" })
      .options({
        rate: { type: "number", requiresArg: true, describe: "fault: share of the calls, above 0 up to 1" },
        operation: { type: "string", requiresArg: true, describe: "fault: the one AWS operation that it strikes" },
        status: { choices: [500, 503], requiresArg: true, describe: "fault: HTTP status of `error`" },
        milliseconds: { type: "number", requiresArg: true, describe: "fault: how long `latency` takes" },
        for: { type: "string", requiresArg: true, describe: "fault: how long it lasts, for example 30s" },
        name: {
          type: "string",
          default: "sandbox",
          requiresArg: true,
          describe: "name of the sandbox and of its stack",
        },
        like: { type: "string", default: "staging", requiresArg: true, describe: "stack whose file is followed" },
        frontends: { type: "number", requiresArg: true, describe: "number of frontends of each generation" },
      })
      .example(
        "./handover sandbox fault throttle --rate 0.2 --for 30s",
        "a fifth of the calls is refused for half a minute",
      )
      .example('eval "$(./handover sandbox env)"', "make this shell one that works against the sandbox"),
  run: (args) => actions[args.action as keyof typeof actions](args),
};

const actions = {
  async up({ name, like, frontends, json }: Arguments & { json: boolean }) {
    const sandbox = await up({ name, like, frontends });
    const result = await deploy(name, json ? () => undefined : progressLines(note));
    if (json) printJson({ name, like, ...result });
    else if (result.outcome !== "reached")
      print([`sandbox "${name}" is up, but its site was not deployed: ${result.message ?? result.outcome}`]);
    else
      print([
        `sandbox "${name}" is up; ${result.live} serves. Use it with: eval "$(./handover sandbox env)"`,
        ...(await statusLines(sandbox.name)),
      ]);
    return result.exitCode;
  },
  async env({ name, json }: Arguments & { json: boolean }) {
    const variables = environmentOf(get(name));
    if (json) printJson(variables);
    else process.stdout.write(exportLines(variables));
    return 0;
  },
  async status({ name, json }: Arguments & { json: boolean }) {
    if (json) printJson(find(name) === undefined ? { name, up: false } : await statusOf(get(name)));
    else print(await statusLines(name));
    return 0;
  },
  async fault({
    name,
    kind,
    rate,
    operation,
    status,
    milliseconds,
    for: duration,
    json,
  }: Arguments & { json: boolean }) {
    const sandbox = get(name);
    const known = faultKinds.find((each) => each === kind);
    const seconds = duration === undefined ? undefined : parseDuration("--for", duration);
    if (kind === "clear") await clearFaults(sandbox);
    else if (known !== undefined)
      await addFault(sandbox, { kind: known, rate, operation, status, milliseconds, seconds });
    else
      throw new HandoverError(
        "usage",
        exitCodes.usage,
        `Name a fault: handover sandbox fault ${[...faultKinds, "clear"].join("|")}`,
      );
    if (json) printJson({ name, fault: kind });
    else print([kind === "clear" ? "no faults any more" : `fault: ${kind}`]);
    return 0;
  },
  async down({ name, json }: Arguments & { json: boolean }) {
    const was = await down(name);
    if (json) printJson({ name, was: was ? "up" : "down" });
    else print([was ? `sandbox "${name}" is down` : `sandbox "${name}" was not up`]);
    return 0;
  },
};

async function statusLines(name: string): Promise<string[]> {
  const sandbox = find(name);
  if (sandbox === undefined) return [`sandbox "${name}" is not up`];
  const status = await statusOf(sandbox);
  return [
    ...Object.entries(status.services).map(
      ([service, { pid, running }]) => `${service}: ${running ? "runs" : "is dead"} (process ${pid})`,
    ),
    `cloud: ${status.endpoint}`,
    ...status.loadBalancers.map((url) => `load balancer: ${url}`),
    ...status.addresses.map(({ publicIp, instanceId }) => `address ${publicIp} -> ${instanceId ?? "nobody"}`),
    `instances running: ${status.running}`,
  ];
}
