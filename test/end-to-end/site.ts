import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AutoScalingClient, DescribeAutoScalingGroupsCommand } from "@aws-sdk/client-auto-scaling";
import {
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeLaunchTemplatesCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeRulesCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Status } from "../../automation/cli/commands/status.ts";
import { actionsOf, type Policy } from "../../sandbox/iam-policy.ts";
import type { ServedWithoutWayOut } from "../../sandbox/network/public-traffic.ts";
import { observer } from "../../sandbox/observer.ts";
import { get } from "../../sandbox/sandbox.ts";
import { slot } from "../../sandbox/slot.ts";
import { startTraffic, type Traffic } from "../../sandbox/traffic/traffic.ts";
import { types } from "../../stacks/names.ts";
import { projectDirectory } from "../../stacks/project.ts";
import { eventually } from "../sandbox/support.ts";
import {
  editStack,
  environmentOf,
  type Finished,
  handover,
  removeStackFile,
  run,
  startSandbox,
} from "./command-line.ts";

const policy = JSON.parse(readFileSync(join(projectDirectory, "docs", "iam-policy.json"), "utf8")) as Policy;
/** `sandbox up` makes the database's volume or instance and the key of the stack's secrets, which are there before Handover is. */
const allowed = new Set([
  ...policy.Statement.flatMap(({ Action }) => Action),
  ...["ec2:CreateVolume", "rds:CreateDBInstance"],
  ...["kms:CreateKey", "kms:CreateAlias", "kms:GenerateDataKeyWithoutPlaintext"],
]);

/** The name of every site. */
const hostname = "www.staging.example.com";

/** A site of its own in a sandbox, whose waits are as short as AWS allows them to be. */
export class Site {
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
  /** The site's own for as long as it is there. */
  #entries: Pick<Status, "loadBalancer" | "addresses"> | undefined;
  /** From when on every server that serves users must have a way out, in milliseconds since the epoch. */
  #judgedSince = 0;

  private constructor(name: string, env: NodeJS.ProcessEnv) {
    this.name = name;
    this.env = env;
  }

  static async up(name: string, edit: Parameters<typeof editStack>[1] = () => {}): Promise<Site> {
    return Site.#like(name, edit, (like) => handover("sandbox", "up", "--name", name, "--like", like));
  }

  /** A site of which only the stack's file is there. */
  static async prepared(name: string, edit: Parameters<typeof editStack>[1] = () => {}): Promise<Site> {
    return Site.#like(name, edit, (like) => startSandbox({ name, like }));
  }

  static async #like(
    name: string,
    edit: Parameters<typeof editStack>[1],
    begin: (like: string) => Promise<Finished>,
  ): Promise<Site> {
    const like = `${name}-like`;
    editStack(
      like,
      (config) => {
        config["handover:site"].loadBalancer.deregistrationDelaySeconds = 2;
        Object.assign(config["handover:upgrade"], {
          shiftPercent: [50],
          stableSeconds: 0,
          stepSeconds: 0,
          bakeSeconds: 1,
          comparison: { enabled: false },
          probe: { enabled: false },
          gateSeconds: 15,
        });
        edit(config);
      },
      "staging",
    );
    const { exitCode, stdout, stderr } = await begin(like);
    removeStackFile(like);
    assert.equal(exitCode, 0, stdout + stderr);
    return Site.of(name);
  }

  /** Of a sandbox that is up. */
  static async of(name: string): Promise<Site> {
    return new Site(name, await environmentOf(name));
  }

  /** What was served without a way out so far is the doing of whoever took an address by hand. */
  excuseWaysOut(): void {
    this.#judgedSince = Date.now();
  }

  /**
   * @throws AssertionError when something was called that docs/iam-policy.json does not allow, or a server served users while
   * it could not reach the Internet
   */
  async down(): Promise<void> {
    try {
      const { url } = slot(get(this.name).slot).network;
      const answer = await fetch(`${url}/network/without-way-out?since=${this.#judgedSince}`);
      const served = ((await answer.json()) as readonly ServedWithoutWayOut[])
        .filter(({ host }) => host === hostname)
        .map(({ instanceId, generation, requests, first, last }) => {
          const from = `from ${new Date(first).toISOString()} to ${new Date(last).toISOString()}`;
          return `${instanceId} of ${generation}: ${requests} requests ${from}`;
        });
      assert.deepEqual(served, [], "servers served users while they could not reach the Internet");
      const calls = await this.calls({ accessKey: this.env.AWS_ACCESS_KEY_ID ?? "" });
      const notAllowed = actionsOf(Object.keys(calls)).filter((action) => !allowed.has(action));
      assert.deepEqual(notAllowed, [], "docs/iam-policy.json does not allow what was called");
    } finally {
      await handover("sandbox", "down", "--name", this.name);
    }
  }

  /** How often each operation of AWS was called, by everybody or with one access key. */
  async calls(by: { readonly accessKey?: string } = {}): Promise<Record<string, number>> {
    const response = await fetch(`${this.env.AWS_ENDPOINT_URL}/sandbox/calls?${new URLSearchParams(by)}`);
    return (await response.json()) as Record<string, number>;
  }

  edit(edit: Parameters<typeof editStack>[1]): void {
    editStack(this.name, edit);
  }

  setGoal(live: string): void {
    this.edit((config) => {
      config["handover:live"] = live;
    });
  }

  /** For the AWS SDK's clients in this process. */
  get settings() {
    return {
      endpoint: this.env.AWS_ENDPOINT_URL,
      region: this.env.AWS_REGION,
      credentials: observer,
    };
  }

  async status(): Promise<Status> {
    const { exitCode, stdout, stderr } = await handover("status", "--stack", this.name, "--json");
    assert.equal(exitCode, 0, stdout + stderr);
    return JSON.parse(stdout);
  }

  /** A server as AWS shows it now: its state, and its health in each target group that it is registered in. */
  async server(
    instanceId: string,
  ): Promise<{ readonly state: string | undefined; readonly health: readonly string[] }> {
    const ec2 = new EC2Client(this.settings);
    const balancing = new ElasticLoadBalancingV2Client(this.settings);
    try {
      const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
      const { TargetGroups = [] } = await balancing.send(new DescribeTargetGroupsCommand({}));
      const healths = TargetGroups.map(async ({ TargetGroupArn }) => {
        const { TargetHealthDescriptions = [] } = await balancing.send(
          new DescribeTargetHealthCommand({ TargetGroupArn }),
        );
        return TargetHealthDescriptions.filter(({ Target }) => Target?.Id === instanceId);
      });
      const health = (await Promise.all(healths)).flat().map(({ TargetHealth }) => TargetHealth?.State ?? "unknown");
      return { state: Reservations[0]?.Instances?.[0]?.State?.Name, health };
    } finally {
      ec2.destroy();
      balancing.destroy();
    }
  }

  /** Load on the site's name and on every Elastic IP. */
  async traffic(requestsPerSecond = 50, path = "/"): Promise<Traffic> {
    this.#entries ??= await this.status();
    const { loadBalancer, addresses } = this.#entries;
    assert.ok(loadBalancer !== null);
    return startTraffic({
      loadBalancer: { host: loadBalancer.dnsName, port: loadBalancer.port, hostHeader: hostname },
      addresses: addresses.map(({ publicIp }) => ({ publicIp, port: 8080 })),
      networkUrl: slot(get(this.name).slot).network.url,
      requestsPerSecond,
      path,
    });
  }

  /** The engine's state without what every update changes: times, orders, run ids, what it ignores, and the ids of what was made anew. */
  async state(): Promise<unknown> {
    const exporting = ["stack", "export", "--show-secrets", "--stack", this.name];
    const { exitCode, stdout, stderr } = await run("pulumi", exporting, this.env);
    assert.equal(exitCode, 0, stderr);
    const { resources, pending_operations = [] } = JSON.parse(stdout).deployment as Deployment;
    return {
      pending_operations,
      resources: resources.map(normalised).sort((a, b) => (a.urn < b.urn ? -1 : 1)),
    };
  }

  /** What AWS shows late looks like drift for a moment. @throws Error when a refresh goes on to find something changed */
  async hasNoDrift(): Promise<void> {
    const refreshing = ["refresh", "--preview-only", "--diff", "--expect-no-changes", "--stack", this.name];
    let seen = "";
    await eventually(
      async () => {
        const { exitCode, stdout, stderr } = await run("pulumi", refreshing, this.env);
        seen = stdout + stderr;
        return exitCode === 0;
      },
      "a refresh without changes",
      20,
    ).catch((cause) => assert.fail(`${cause.message}: ${seen}`));
  }

  /** What AWS shows of the site: everything but the retained snapshots. */
  async cloud(): Promise<unknown> {
    const ec2 = new EC2Client(this.settings);
    const scaling = new AutoScalingClient(this.settings);
    const balancing = new ElasticLoadBalancingV2Client(this.settings);
    try {
      const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}));
      const { AutoScalingGroups = [] } = await scaling.send(new DescribeAutoScalingGroupsCommand({}));
      const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({}));
      const { LaunchTemplates = [] } = await ec2.send(new DescribeLaunchTemplatesCommand({}));
      const { LoadBalancers = [] } = await balancing.send(new DescribeLoadBalancersCommand({}));
      const { TargetGroups = [] } = await balancing.send(new DescribeTargetGroupsCommand({}));
      const { Listeners = [] } = await balancing.send(
        new DescribeListenersCommand({ LoadBalancerArn: LoadBalancers[0]?.LoadBalancerArn }),
      );
      const { Rules = [] } = await balancing.send(new DescribeRulesCommand({ ListenerArn: Listeners[0]?.ListenerArn }));
      const healths = TargetGroups.map(async ({ TargetGroupArn }) => {
        const health = await balancing.send(new DescribeTargetHealthCommand({ TargetGroupArn }));
        return (health.TargetHealthDescriptions ?? []).map(({ Target, TargetHealth }) => [
          Target?.Id,
          TargetHealth?.State,
        ]);
      });
      const health = (await Promise.all(healths)).flat().sort();
      const instances = Reservations.flatMap(({ Instances = [] }) => Instances).filter(
        ({ State }) => State?.Name !== "terminated",
      );
      return JSON.parse(
        JSON.stringify(
          {
            instances,
            AutoScalingGroups,
            Addresses,
            LaunchTemplates,
            LoadBalancers,
            TargetGroups,
            Listeners,
            Rules,
            health,
          },
          (key, value) => (key === "AssociationId" ? undefined : value),
        ),
      );
    } finally {
      ec2.destroy();
      scaling.destroy();
      balancing.destroy();
    }
  }
}

/** Where two values differ, each with both sides: a whole state and cloud are too large for a diff. */
export function differences(actual: unknown, expected: unknown, path = ""): string[] {
  if (isObject(actual) && isObject(expected)) {
    const keys = Object.keys({ ...actual, ...expected });
    return keys.flatMap((key) => differences(actual[key], expected[key], `${path}.${key}`));
  }
  const [now, then] = [JSON.stringify(actual), JSON.stringify(expected)];
  return now === then ? [] : [`${path}: ${now} instead of ${then}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

interface Deployment {
  readonly resources: readonly State[];
  readonly pending_operations?: readonly unknown[];
}

interface State {
  readonly urn: string;
  readonly type: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly ignoreChanges?: readonly string[];
}

/** On the way back. The official plugin gives each registration another id. */
const madeAnew: readonly string[] = [types.eipAssociation, types.targetGroupAttachment];

function normalised(state: State): State {
  const { inputs, outputs = {}, ignoreChanges = [] } = state;
  // What the program leaves to others is as the outputs have it; whether it is an input, too, is the plugin's affair.
  const left = ignoreChanges.flatMap((key) => (key in outputs ? [[key, outputs[key]]] : []));
  const resource = { ...state, inputs: { ...Object.fromEntries(left), ...inputs } };
  const changing = ["created", "modified", "stackTrace", "sourcePosition", "ignoreChanges"];
  if (madeAnew.includes(resource.type)) changing.push("id");
  if (resource.type === "pulumi:pulumi:Stack") changing.push("run", "lastRun");
  return JSON.parse(
    JSON.stringify({ propertyDependencies: {}, ...resource }, (key, value) => {
      if (changing.includes(key)) return undefined;
      // That there is no dependency is written down in several ways.
      if (key === "propertyDependencies") return Object.entries(value).filter(([, urns]) => String(urns) !== "");
      return Array.isArray(value) && value.every((item) => typeof item === "string") ? value.toSorted() : value;
    }),
  );
}
