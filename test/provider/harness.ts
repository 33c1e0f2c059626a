import type { CloudOptions } from "../../provider/cloud.ts";
import { Provider, type ReadResult } from "../../provider/provider.ts";
import type { Properties } from "../../provider/values.ts";
import { cloudForTests, type TestCloud } from "../sandbox/support.ts";

export interface Deployed extends ReadResult {
  readonly urn: string;
}

/** A provider on a cloud of its own, driven as the engine drives it. */
export class Harness {
  readonly provider = new Provider();
  readonly cloud: TestCloud;

  constructor(cloud: TestCloud) {
    this.cloud = cloud;
    this.configure({});
  }

  configure(options: CloudOptions): void {
    const { url } = this.cloud;
    const endpoints = { ec2: url, elbv2: url, rds: url, dynamodb: url, autoscaling: url, ssm: url };
    void this.provider.configure({
      region: "us-east-1",
      settings: { accessKey: "test", secretKey: "test", endpoints: [endpoints] },
      ...options,
    });
  }

  static async start(): Promise<Harness> {
    return new Harness(await cloudForTests());
  }

  urn(token: string, name: string): string {
    return `urn:pulumi:test::handover::${token}::${name}`;
  }

  check(urn: string, olds: Properties, news: Properties): Properties {
    const { inputs, failures } = this.provider.check({ urn }, olds, news, Buffer.from(urn));
    if (failures.length > 0) throw new Error(failures.map(({ reason }) => reason).join("; "));
    return inputs;
  }

  async create(token: string, name: string, program: Properties): Promise<Deployed> {
    const urn = this.urn(token, name);
    const inputs = this.check(urn, {}, program);
    return { urn, ...(await this.provider.create({ urn }, inputs, false)) };
  }

  diff(deployed: Deployed, program: Properties) {
    const { urn, id, inputs, state } = deployed;
    return this.provider.diff({ urn }, id, inputs, state, this.check(urn, inputs, program));
  }

  async update(deployed: Deployed, program: Properties): Promise<Deployed> {
    const { urn, id, inputs } = deployed;
    const news = this.check(urn, inputs, program);
    const state = await this.provider.update({ urn }, id, deployed, news, false);
    return { urn, id, inputs: news, state };
  }

  async refresh({ urn, id, inputs, state }: Deployed): Promise<Deployed | undefined> {
    const found = await this.provider.read({ urn }, id, inputs, state);
    return found && { urn, ...found };
  }

  async import(token: string, name: string, id: string, inputs: Properties = {}): Promise<Deployed | undefined> {
    const urn = this.urn(token, name);
    const found = await this.provider.read({ urn }, id, inputs, {});
    return found && { urn, ...found };
  }

  async delete({ urn, id, state }: Deployed): Promise<void> {
    await this.provider.delete({ urn }, id, state);
  }
}
