import type { Fault } from "../../../sandbox/faults.ts";
import { beforeHandover } from "../../../stacks/project.ts";
import { stackToRehearse } from "../../engine/stack-file.ts";
import { exitCodes, HandoverError } from "../../errors.ts";
import { parseDuration } from "../duration.ts";
import { progressLines } from "../progress.ts";
import { type Command, type GlobalArguments, lagOptions, note, print, printJson } from "./command.ts";

interface Arguments {
  readonly action: string;
  readonly name: string;
  readonly like: string;
  readonly frontends?: number;
  readonly array?: number;
  readonly "balancer-lag": number;
  readonly "stale-reads"?: number;
  readonly plugin?: string;
  readonly kind?: string;
  readonly rate?: number;
  readonly operation?: string;
  readonly times?: number;
  readonly status?: number;
  readonly milliseconds?: number;
  readonly for?: string;
}

const faultKinds = ["throttle", "error", "latency", "capacity", "drop"] as const satisfies readonly Fault["kind"][];

export const sandboxCommand: Command<Arguments> = {
  command: "sandbox <action> [kind]",
  task: "sandbox",
  describe: "run an AWS on this machine: up, env, status, fault, down",
  examples: [
    ["sandbox up", "start it, and deploy its live generation as stack `sandbox`"],
    ["sandbox up --plugin ~/bin/pulumi-resource-aws", "the same with another plugin, for example the official one"],
    ["sandbox env", 'variables for a shell: eval "$(handover sandbox env)", then pulumi, aws and any AWS SDK'],
    ["sandbox fault throttle --rate 0.2 --for 30s", "refuse a fifth of the calls for half a minute"],
    ["sandbox fault clear", "end all faults"],
    ["sandbox down", "end it, and leave no process behind"],
  ],
  builder: (yargs) =>
    yargs
      .positional("action", {
        choices: ["up", "env", "status", "fault", "down"],
        demandOption: true,
        describe: "what to do",
      })
      .positional("kind", { choices: [...faultKinds, "clear"], describe: "fault: what goes wrong in the cloud" })
      .options({
        rate: { type: "number", requiresArg: true, describe: "fault: share of the calls, above 0 and up to 1" },
        operation: { type: "string", requiresArg: true, describe: "fault: the only AWS operation that it affects" },
        times: { type: "number", requiresArg: true, describe: "fault: the largest number of calls that it affects" },
        status: { choices: [500, 503], requiresArg: true, describe: "fault: HTTP status of `error`" },
        milliseconds: { type: "number", requiresArg: true, describe: "fault: delay that `latency` adds" },
        for: { type: "string", requiresArg: true, describe: "fault: how long it lasts, for example 30s" },
        name: {
          type: "string",
          default: "sandbox",
          requiresArg: true,
          describe: "name of the sandbox and of its stack",
        },
        like: { type: "string", default: stackToRehearse(), requiresArg: true, describe: "stack whose file to copy" },
        frontends: { type: "number", requiresArg: true, describe: "number of frontends of each generation" },
        array: { type: "number", requiresArg: true, describe: "number of servers of each generation's array" },
        ...lagOptions,
        plugin: {
          type: "string",
          requiresArg: true,
          describe: "up: another pulumi-resource-aws than the sandbox's own",
        },
      }),
  run: (args) => actions[args.action as keyof typeof actions](args),
};

const actions = {
  async up({
    name,
    like,
    frontends,
    array,
    "balancer-lag": balancerLagSeconds,
    "stale-reads": staleReadSeconds,
    plugin,
    json,
    verbose,
    quiet,
  }: Arguments & GlobalArguments) {
    const [{ deploy }, { sandboxCommand, up }] = await Promise.all([
      import("../../../sandbox/deploy.ts"),
      import("../../../sandbox/sandbox.ts"),
    ]);
    const sandbox = await up({ name, like, frontends, array, balancerLagSeconds, staleReadSeconds, plugin });
    const result = await deploy(name, json ? () => undefined : progressLines(note, { verbose, quiet }));
    if (json) printJson("sandbox-up", { name, like, ...result });
    else if (result.outcome !== "reached")
      print([`sandbox "${name}" is up, but its site was not deployed: ${result.message ?? result.outcome}`]);
    else
      print([
        `sandbox "${name}" is up; ${result.live} serves. Use it with: eval "$(${beforeHandover}${sandboxCommand("env", name)})"`,
        ...(await statusLines(sandbox.name)),
      ]);
    return result.exitCode;
  },
  async env({ name, json }: Arguments & { json: boolean }) {
    const [{ exportLines }, { environmentOf, get }] = await Promise.all([
      import("../../../sandbox/environment.ts"),
      import("../../../sandbox/sandbox.ts"),
    ]);
    const variables = environmentOf(get(name));
    if (json) printJson("sandbox-env", { name, variables });
    else process.stdout.write(exportLines(variables));
    return exitCodes.reached;
  },
  async status({ name, json }: Arguments & { json: boolean }) {
    if (!json) print(await statusLines(name));
    else {
      const [{ find }, { statusOf }] = await Promise.all([
        import("../../../sandbox/sandbox.ts"),
        import("../../../sandbox/status.ts"),
      ]);
      const sandbox = find(name);
      printJson("sandbox-status", sandbox === undefined ? { name, up: false } : await statusOf(sandbox));
    }
    return exitCodes.reached;
  },
  async fault({
    name,
    kind,
    rate,
    operation,
    times,
    status,
    milliseconds,
    for: duration,
    json,
  }: Arguments & { json: boolean }) {
    const [{ addFault, clearFaults }, { get }] = await Promise.all([
      import("../../../sandbox/faults.ts"),
      import("../../../sandbox/sandbox.ts"),
    ]);
    const sandbox = get(name);
    const fault = kind === "clear" ? kind : faultKinds.find((each) => each === kind);
    if (fault === undefined) {
      throw new HandoverError(
        "usage",
        exitCodes.usage,
        `Name a fault: handover sandbox fault ${[...faultKinds, "clear"].join("|")}`,
      );
    }
    const seconds = duration === undefined ? undefined : parseDuration("--for", duration);
    if (fault === "clear") await clearFaults(sandbox);
    else await addFault(sandbox, { kind: fault, rate, operation, times, status, milliseconds, seconds });
    if (json) printJson("sandbox-fault", { name, fault });
    else print([fault === "clear" ? "no faults any more" : `fault: ${fault}`]);
    return exitCodes.reached;
  },
  async down({ name, json }: Arguments & { json: boolean }) {
    const { down } = await import("../../../sandbox/sandbox.ts");
    const was = await down(name);
    if (json) printJson("sandbox-down", { name, was: was ? "up" : "down" });
    else print([was ? `sandbox "${name}" is down` : `sandbox "${name}" was not up`]);
    return exitCodes.reached;
  },
};

async function statusLines(name: string): Promise<string[]> {
  const [{ find }, { statusOf }] = await Promise.all([
    import("../../../sandbox/sandbox.ts"),
    import("../../../sandbox/status.ts"),
  ]);
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
