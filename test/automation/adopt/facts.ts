import type { Asked, Facts } from "../../../automation/adopt/facts.ts";

export const asked: Asked = {
  stack: "www",
  region: "us-east-1",
  loadBalancer: "www-alb",
  generation: "blue",
  hostname: "www.example.com",
  testHostname: "test.example.com",
};

const group = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/www/1";
const balancer = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/www-alb/1";

const instance = (number: number, subnet: string) => ({
  InstanceId: `i-000000000000000${number}`,
  ImageId: "ami-0a1b2c3d4e5f60001",
  InstanceType: "t3.small" as const,
  IamInstanceProfile: { Arn: "arn:aws:iam::123456789012:instance-profile/web/www" },
  KeyName: "ops",
  SubnetId: subnet,
  PrivateIpAddress: `10.0.0.${number}`,
  LaunchTime: new Date(Date.UTC(2026, 0, number)),
  SecurityGroups: [{ GroupId: "sg-0000000000000002" }],
  MetadataOptions: { HttpTokens: "required" as const },
  NetworkInterfaces: [{ NetworkInterfaceId: `eni-${number}` }],
  RootDeviceName: "/dev/xvda",
  BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { VolumeId: `vol-000000000000000${number}` } }],
  Tags: [{ Key: "Name", Value: `www-${number}` }],
});

const address = (number: number, holder: number) => ({
  PublicIp: `192.0.2.${number}`,
  AllocationId: `eipalloc-${number}`,
  AssociationId: `eipassoc-${number}`,
  InstanceId: `i-000000000000000${holder}`,
  PrivateIpAddress: `10.0.0.${holder}`,
});

/** Three servers, of which the second and the third hold an Elastic IP; to be changed by a test. */
export function facts() {
  return {
    loadBalancer: {
      LoadBalancerArn: balancer,
      LoadBalancerName: "www-alb",
      VpcId: "vpc-0000000000000001",
      SecurityGroups: ["sg-0000000000000001"],
      AvailabilityZones: ["a", "b", "c"].map((zone) => ({ SubnetId: `subnet-000000000000000${zone}` })),
    },
    listener: {
      listener: {
        ListenerArn: `${balancer}/80`,
        Port: 80,
        Protocol: "HTTP",
        DefaultActions: [
          {
            Type: "forward",
            TargetGroupArn: group,
            ForwardConfig: { TargetGroups: [{ TargetGroupArn: group, Weight: 1 }] },
          },
        ],
      },
      rules: [],
    },
    otherWays: [] as string[],
    targetGroup: {
      TargetGroupArn: group,
      TargetGroupName: "www",
      TargetType: "instance",
      Protocol: "HTTP",
      ProtocolVersion: "HTTP1",
      Port: 8080,
      LoadBalancerArns: [balancer],
      HealthCheckProtocol: "HTTP",
      HealthCheckPort: "traffic-port",
      HealthCheckPath: "/ping",
      HealthCheckIntervalSeconds: 30,
      HealthCheckTimeoutSeconds: 5,
      HealthyThresholdCount: 5,
      UnhealthyThresholdCount: 2,
      Matcher: { HttpCode: "200-299" },
    },
    attributes: {
      "deregistration_delay.timeout_seconds": "300",
      "stickiness.enabled": "false",
      "stickiness.type": "lb_cookie",
      "stickiness.lb_cookie.duration_seconds": "86400",
      "load_balancing.algorithm.type": "round_robin",
      "slow_start.duration_seconds": "0",
    },
    targets: [1, 2, 3].map((number) => ({
      Target: { Id: `i-000000000000000${number}`, Port: 8080 },
      TargetHealth: { State: "healthy" },
    })),
    instances: [
      instance(1, "subnet-000000000000000b"),
      instance(2, "subnet-000000000000000c"),
      instance(3, "subnet-000000000000000b"),
    ],
    volumes: [1, 2, 3].map((number) => ({ VolumeId: `vol-000000000000000${number}`, Size: 20, VolumeType: "gp3" })),
    addresses: [address(1, 2), address(2, 3)],
    image: { ImageId: "ami-0a1b2c3d4e5f60001" },
    userData: {},
    typeInfo: { cores: 1, threads: 2, hasInstanceStore: false },
    targetGroupTags: [],
    serverAttributes: {},
    terminationProtected: [],
  } satisfies Record<keyof Facts, unknown>;
}

// biome-ignore lint/suspicious/noExplicitAny: a test changes any part of what AWS says
export function changed(change: (facts: any) => void): Facts {
  const all = facts();
  change(all);
  return all as unknown as Facts;
}
