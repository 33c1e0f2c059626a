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
import { retries } from "../automation/cloud/retries.ts";
import { type Batch, batch } from "./batch.ts";
import { unless } from "./errors.ts";
import { Instances } from "./instances.ts";
import type { Tags } from "./tags.ts";

/** The provider's configuration; what it leaves out comes from the environment. */
export interface CloudOptions {
  readonly region?: string;
  readonly accessKey?: string;
  readonly secretKey?: string;
  readonly token?: string;
  /** By the official plugin's names of the services: ec2, elbv2, rds, dynamodb, autoscaling, ssm. */
  readonly endpoints?: Readonly<Record<string, string>>;
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
  #account: Promise<string> | undefined;

  constructor(options: CloudOptions = {}) {
    this.region =
      options.region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? missing("a region (aws:region)");
    this.defaultTags = options.defaultTags ?? {};
    const shared = {
      region: this.region,
      requestHandler: { httpsAgent: { maxSockets: 64 }, httpAgent: { maxSockets: 64 } },
      ...(options.accessKey !== undefined && {
        credentials: {
          accessKeyId: options.accessKey,
          secretAccessKey: options.secretKey ?? missing("a secret key (aws:secretKey)"),
          ...(options.token !== undefined && { sessionToken: options.token }),
        },
      }),
    };
    const at = (...services: string[]) => {
      const endpoint = services.map((service) => options.endpoints?.[service]).find((url) => url !== undefined);
      return { ...shared, ...retries(), ...(endpoint !== undefined && { endpoint }) };
    };
    this.ec2 = new EC2Client(at("ec2"));
    this.loadBalancing = new ElasticLoadBalancingV2Client(at("elbv2", "elasticloadbalancingv2", "elb"));
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
