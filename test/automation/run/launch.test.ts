import assert from "node:assert/strict";
import {
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  CreateRouteCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeRouteTablesCommand,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import type { ArrayNow } from "../../../automation/cloud/arrays.ts";
import { Launches } from "../../../automation/cloud/launches.ts";
import { WaysOut } from "../../../automation/cloud/ways-out.ts";
import { checkLaunch } from "../../../automation/run/launch.ts";
import { ConfigError } from "../../../stacks/config.ts";
import type { LastOutputs } from "../../../stacks/outputs.ts";
import { cloudForTests, type TestCloud } from "../../sandbox/support.ts";
import { exampleConfig, type exampleValues } from "../../stacks/shape.ts";

describe("A launch before it is one", () => {
  let cloud: TestCloud;
  let vpcId = "";
  const subnets: Record<string, string> = {};
  before(async () => {
    cloud = await cloudForTests();
    vpcId = (await cloud.ec2.send(new CreateVpcCommand({ CidrBlock: "127.66.0.0/16" }))).Vpc?.VpcId ?? "";
    const blocks = [
      ["a", "127.66.0.0/24", "us-east-1a"],
      ["b", "127.66.1.0/24", "us-east-1b"],
      ["sameZone", "127.66.2.0/24", "us-east-1a"],
      ["other", "127.66.3.0/24", "us-east-1e"],
      ["small", "127.66.4.0/28", "us-east-1b"],
    ] as const;
    for (const [name, CidrBlock, AvailabilityZone] of blocks) {
      const { Subnet } = await cloud.ec2.send(new CreateSubnetCommand({ VpcId: vpcId, CidrBlock, AvailabilityZone }));
      subnets[name] = Subnet?.SubnetId ?? "";
    }
  });
  after(() => cloud.stop());

  type Change = (values: ReturnType<typeof exampleValues>) => void;

  async function problemsOf(
    where: readonly string[],
    change: Change = () => {},
    last?: LastOutputs,
  ): Promise<string[]> {
    const config = exampleConfig((values) => {
      values.site.network = { vpcId, subnetIds: where.map((name) => subnets[name] ?? name) };
      change(values);
    });
    const image = async (id: string) =>
      (await cloud.ec2.send(new DescribeImagesCommand({ ImageIds: [id] }))).Images?.[0];
    const arrays = { find: async () => ({ desiredCapacity: 30 }) as unknown as ArrayNow };
    const aws = { launches: new Launches(cloud.ec2), waysOut: new WaysOut(cloud.ec2), image, arrays };
    try {
      await checkLaunch({ stack: "staging", config, last, aws }, AbortSignal.timeout(30_000));
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return [...error.problems];
      throw error;
    }
  }

  it("is nothing to object to where AWS would do it, and launches nothing", async () => {
    assert.deepEqual(await problemsOf(["a", "b"]), []);
    const { Reservations } = await cloud.ec2.send(new DescribeInstancesCommand({}));
    assert.deepEqual(Reservations, []);
  });

  const blue =
    (key: string, value: unknown): Change =>
    (values) => {
      values.generations.blue[key] = value;
    };
  const cases: [what: string, where: string[], change: Change | undefined, problem: RegExp][] = [
    [
      "two subnets in one zone",
      ["a", "sameZone"],
      undefined,
      /subnetIds: subnet-\w+ and subnet-\w+ are both in us-east-1a/,
    ],
    [
      "a zone that does not have the type",
      ["a", "other"],
      undefined,
      /blue\.instanceType: t3\.small is not offered in us-east-1e, where its servers would be/,
    ],
    ["a subnet that does not exist", ["a", "subnet-0000"], undefined, /subnetIds: subnet-0000 does not exist/],
    [
      "a subnet without addresses for all of them",
      ["a", "small"],
      blue("frontends", 40),
      /blue\.frontends: 20 new servers would be in subnet-\w+, which has 11 free addresses/,
    ],
    [
      "a key pair that does not exist",
      ["a", "b"],
      blue("keyName", "nobodys"),
      /AWS would not launch it in subnet-\w+ \(InvalidKeyPair\.NotFound/,
    ],
    [
      "an instance profile that does not exist",
      ["a", "b"],
      blue("iamInstanceProfile", "nobodys"),
      /AWS would not launch it/,
    ],
    [
      "a security group that does not exist",
      ["a", "b"],
      (values) => {
        values.site.network.frontendSecurityGroupIds = ["sg-00000000"];
      },
      /AWS would not launch it in subnet-\w+ \(InvalidGroup\.NotFound/,
    ],
    [
      "more user data than EC2 takes",
      ["a", "b"],
      blue("inputs", { A: "x".repeat(17_000) }),
      /blue: inputs and userDataFile make \d+ bytes/,
    ],
  ];
  for (const [what, where, change, problem] of cases) {
    it(`is refused for ${what}`, async () => {
      assert.match((await problemsOf(where, change)).join("\n"), problem);
    });
  }

  it("is looked at for the goal alone, and not for servers that are there", async () => {
    const last = { outputs: { live: "blue", generations: { blue: {} } }, definitions: {} } as unknown as LastOutputs;
    assert.deepEqual(await problemsOf(["a", "b"], blue("keyName", "nobodys"), last), []);
    const toGreen: Change = (values) => {
      values.live = "green";
      values.generations.green.keyName = "nobodys";
    };
    assert.match(
      (await problemsOf(["a", "b"], toGreen, last)).join("\n"),
      /generations\.green: AWS would not launch it/,
    );
  });

  it("leaves room for a new array as large as the one that serves, and one subnet in each zone, on a live site too", async () => {
    const live = { outputs: { live: "blue", generations: { blue: { array: { name: "www" } } } }, definitions: {} };
    const last = live as unknown as LastOutputs;
    const toGreen: Change = (values) => {
      values.live = "green";
      values.generations.blue.array = { minSize: 0, maxSize: 40 };
    };
    assert.match(
      (await problemsOf(["a", "small"], toGreen, last)).join("\n"),
      /green\.frontends: 16 new servers would be in subnet-\w+, which has 11 free addresses/,
    );
    assert.deepEqual(await problemsOf(["a", "b"], toGreen, last), []);
    assert.match((await problemsOf(["a", "sameZone"], toGreen, last)).join("\n"), /are both in us-east-1a/);
  });

  it("is asked of the zones of a network that is to be made", async () => {
    const create: Change = (values) => {
      values.site.network = { cidrBlock: "10.20.0.0/16" };
    };
    assert.deepEqual(await problemsOf([], create), []);
  });

  /** A server in a subnet from which the VPC's main route table leads out through an internet gateway. */
  async function serverWithWayOut() {
    const { Vpc } = await cloud.ec2.send(new CreateVpcCommand({ CidrBlock: "127.67.0.0/16" }));
    const where = { VpcId: Vpc?.VpcId ?? "" };
    const { Subnet } = await cloud.ec2.send(new CreateSubnetCommand({ ...where, CidrBlock: "127.67.0.0/24" }));
    const { InternetGateway } = await cloud.ec2.send(new CreateInternetGatewayCommand({}));
    const InternetGatewayId = InternetGateway?.InternetGatewayId ?? "";
    await cloud.ec2.send(new AttachInternetGatewayCommand({ ...where, InternetGatewayId }));
    const Filters = [{ Name: "vpc-id", Values: [where.VpcId] }];
    const { RouteTables = [] } = await cloud.ec2.send(new DescribeRouteTablesCommand({ Filters }));
    const route = { DestinationCidrBlock: "0.0.0.0/0", GatewayId: InternetGatewayId };
    await cloud.ec2.send(new CreateRouteCommand({ RouteTableId: RouteTables[0]?.RouteTableId, ...route }));
    const { Images = [] } = await cloud.ec2.send(new DescribeImagesCommand({ Owners: ["self", "amazon"] }));
    const NetworkInterfaces = [{ DeviceIndex: 0, SubnetId: Subnet?.SubnetId, AssociatePublicIpAddress: true }];
    const launch = { ImageId: Images[0]?.ImageId, InstanceType: "t3.small", MinCount: 1, MaxCount: 1 } as const;
    const { Instances = [] } = await cloud.ec2.send(new RunInstancesCommand({ ...launch, NetworkInterfaces }));
    return { name: "blue-1", instanceId: Instances[0]?.InstanceId ?? "", privateIp: "127.67.0.4" };
  }

  it("is refused in subnets that lead nowhere, where the servers must call others or the live ones can", async () => {
    const nowhere = /subnetIds: subnet-\S+ and subnet-\S+ has no route to the Internet.*NAT gateway.*egress: none/;
    const required: Change = ({ site }) => {
      site.network.egress = "required";
    };
    assert.match((await problemsOf(["a", "b"], required)).join(), nowhere);
    const outputs = { live: "blue", generations: { blue: { frontends: [await serverWithWayOut()] } } };
    const last = { outputs, definitions: {} } as unknown as LastOutputs;
    const toGreen: Change = (values) => {
      values.live = "green";
    };
    assert.match((await problemsOf(["a", "b"], toGreen, last)).join(), nowhere);
    const none: Change = (values) => {
      values.live = "green";
      values.site.network.egress = "none";
    };
    assert.deepEqual(await problemsOf(["a", "b"], none, last), []);
  });
});
