import {
  DescribeAvailabilityZonesCommand,
  DescribeInstanceTypeOfferingsCommand,
  DescribeSubnetsCommand,
  type EC2Client,
  type Filter,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  type Subnet,
} from "@aws-sdk/client-ec2";
import { absentSeconds, foundInTime } from "./absence.ts";
import { isNotFound } from "./not-found.ts";

/** Asks AWS about a launch before there is one. */
export class Launches {
  readonly #ec2: EC2Client;

  constructor(ec2: EC2Client) {
    this.#ec2 = ec2;
  }

  /** By id; one that does not exist is missing. They may be new: AWS is asked again. */
  async subnets(ids: readonly string[], abortSignal?: AbortSignal): Promise<Map<string, Subnet>> {
    const filters = [{ Name: "subnet-id", Values: [...ids] }];
    let found = new Map<string, Subnet>();
    const all = async () => {
      found = await this.#subnets(filters, abortSignal);
      return ids.every((id) => found.has(id)) ? found : undefined;
    };
    await foundInTime(all, absentSeconds, abortSignal);
    return found;
  }

  /** Those of a site's own network. */
  async subnetsOf(site: string, abortSignal?: AbortSignal): Promise<Map<string, Subnet>> {
    return this.#subnets([{ Name: "tag:handover:site", Values: [site] }], abortSignal);
  }

  async #subnets(Filters: Filter[], abortSignal?: AbortSignal): Promise<Map<string, Subnet>> {
    const { Subnets = [] } = await this.#ec2.send(new DescribeSubnetsCommand({ Filters }), { abortSignal });
    return new Map(Subnets.map((subnet) => [subnet.SubnetId ?? "", subnet]));
  }

  /** The zones in which a network of Handover's own is made, in their order: stacks/network.ts. */
  async ordinaryZones(abortSignal?: AbortSignal): Promise<string[]> {
    const Filters = [
      { Name: "state", Values: ["available"] },
      { Name: "zone-type", Values: ["availability-zone"] },
    ];
    const { AvailabilityZones = [] } = await this.#ec2.send(new DescribeAvailabilityZonesCommand({ Filters }), {
      abortSignal,
    });
    return AvailabilityZones.map(({ ZoneName = "" }) => ZoneName).sort();
  }

  /** The zones in which an instance type can be had; undefined when we may not ask. */
  async zonesOffering(instanceType: string, abortSignal?: AbortSignal): Promise<ReadonlySet<string> | undefined> {
    const Filters = [{ Name: "instance-type", Values: [instanceType] }];
    const command = new DescribeInstanceTypeOfferingsCommand({ LocationType: "availability-zone", Filters });
    try {
      const { InstanceTypeOfferings = [] } = await this.#ec2.send(command, { abortSignal });
      return new Set(InstanceTypeOfferings.map(({ Location = "" }) => Location));
    } catch (error) {
      if (isDenied(error)) return undefined;
      throw error;
    }
  }

  /**
   * Why AWS would refuse a launch; undefined when it would not.
   * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
   */
  async refusal(launch: Partial<RunInstancesCommandInput>, abortSignal?: AbortSignal): Promise<string | undefined> {
    try {
      const command = new RunInstancesCommand({ MinCount: 1, MaxCount: 1, ...launch, DryRun: true });
      await this.#ec2.send(command, { abortSignal });
      return undefined;
    } catch (error) {
      const code = error instanceof Error ? error.name : "";
      // Capacity comes and goes: the launch itself finds out.
      if (code === "DryRunOperation" || code.startsWith("Insufficient")) return undefined;
      if (
        isDenied(error) ||
        isNotFound(error) ||
        /^(Invalid|Missing|Unsupported|UnknownParameter|OptInRequired)/.test(code)
      )
        return `${code}: ${(error as Error).message.split("\n")[0]}`;
      throw error;
    }
  }
}

function isDenied(error: unknown): boolean {
  return error instanceof Error && error.name === "UnauthorizedOperation";
}
