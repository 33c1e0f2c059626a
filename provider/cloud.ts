import { AutoScalingClient } from "@aws-sdk/client-auto-scaling";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DescribeImagesCommand,
  DescribeSecurityGroupsCommand,
  DescribeVolumesCommand,
  EC2Client,
  type Image,
  type Volume,
} from "@aws-sdk/client-ec2";
import {
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  type TargetHealthDescription,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { RDSClient } from "@aws-sdk/client-rds";
import { SSMClient } from "@aws-sdk/client-ssm";
import { type Access, accountProblem, identified, type Service } from "../automation/cloud/access.ts";
import { accessOf } from "../automation/cloud/plugin-settings.ts";
import { retries } from "../automation/cloud/retries.ts";
import type { Settings } from "../automation/cloud/setting-values.ts";
import { type Batch, batch } from "./batch.ts";
import { unless } from "./errors.ts";
import { Instances } from "./instances.ts";
import type { Tags } from "./tags.ts";

/** The provider's configuration; what it leaves out comes from the environment. */
export interface CloudOptions {
  readonly region?: string;
  /** Where AWS is asked, and as whom, in the official plugin's words. */
  readonly settings?: Settings;
  /** Tags of every resource that takes tags. */
  readonly defaultTags?: Tags;
}

/** The clients of one region. */
export class Cloud {
  readonly region: string;
  readonly defaultTags: Tags;
  readonly ec2: EC2Client;
  readonly loadBalancing: ElasticLoadBalancingV2Client;
  readonly databases: RDSClient;
  readonly tables: DynamoDBClient;
  readonly autoScaling: AutoScalingClient;
  readonly parameters: SSMClient;
  readonly instances: Instances;
  readonly volumes: Batch<Volume>;
  readonly images: Batch<Image>;
  /** By target group. */
  readonly targets: Batch<TargetHealthDescription[]>;
  readonly #access: Access;
  #account: Promise<string> | undefined;

  constructor(options: CloudOptions = {}) {
    this.region =
      options.region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? missing("a region (aws:region)");
    this.defaultTags = options.defaultTags ?? {};
    const access = accessOf(this.region, options.settings ?? {});
    const requestHandler = { httpsAgent: { maxSockets: 64 }, httpAgent: { maxSockets: 64 } };
    const at = (service: Service) => ({ ...identified(access, service), ...retries(), requestHandler });
    this.#access = access;
    this.ec2 = new EC2Client(at("ec2"));
    this.loadBalancing = new ElasticLoadBalancingV2Client(at("elbv2"));
    this.databases = new RDSClient(at("rds"));
    this.tables = new DynamoDBClient(at("dynamodb"));
    this.autoScaling = new AutoScalingClient(at("autoscaling"));
    this.parameters = new SSMClient(at("ssm"));
    this.instances = new Instances(this.ec2);
    this.volumes = batch(async (ids) => {
      const Filters = [{ Name: "volume-id", Values: ids }];
      const { Volumes = [] } = await this.ec2.send(new DescribeVolumesCommand({ Filters }));
      return new Map(Volumes.map((volume) => [volume.VolumeId, volume]));
    });
    this.images = batch(async (ids) => {
      const Filters = [{ Name: "image-id", Values: ids }];
      const { Images = [] } = await this.ec2.send(new DescribeImagesCommand({ Filters, IncludeDeprecated: true }));
      return new Map(Images.map((image) => [image.ImageId, image]));
    });
    this.targets = batch(async (arns) => new Map(await Promise.all(arns.map((arn) => this.#targetsOf(arn)))));
  }

  async #targetsOf(TargetGroupArn: string): Promise<[string, TargetHealthDescription[]]> {
    const call = this.loadBalancing.send(new DescribeTargetHealthCommand({ TargetGroupArn }));
    const answer = await unless(["TargetGroupNotFound", "TargetGroupNotFoundException"], call);
    return [TargetGroupArn, answer?.TargetHealthDescriptions ?? []];
  }

  /** @throws an error where its configuration keeps it from working in this account */
  async checkAccount(): Promise<void> {
    if (this.#access.allowedAccountIds === undefined && this.#access.forbiddenAccountIds === undefined) return;
    const problem = accountProblem(this.#access, await this.account());
    if (problem !== undefined) throw new Error(problem);
  }

  /** The account's id; every account has a security group in its default network. */
  account(): Promise<string> {
    this.#account ??= this.ec2
      .send(new DescribeSecurityGroupsCommand({ Filters: [{ Name: "group-name", Values: ["default"] }] }))
      .then(({ SecurityGroups }) => SecurityGroups?.[0]?.OwnerId ?? "");
    this.#account.catch(() => {
      this.#account = undefined;
    });
    return this.#account;
  }

  close(): void {
    for (const client of [this.ec2, this.loadBalancing, this.databases, this.tables, this.autoScaling, this.parameters])
      client.destroy();
  }
}

function missing(what: string): never {
  throw new Error(`The provider needs ${what}, from its configuration or the environment.`);
}
