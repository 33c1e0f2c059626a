import assert from "node:assert/strict";
import { intent, settled, shapeOf } from "../../stacks/intent.ts";
import { quarters } from "../../stacks/network.ts";
import { namesOf, only, resourcesOf } from "./resources.ts";
import { exampleConfig } from "./shape.ts";

const config = exampleConfig();
const shape = shapeOf(config);
const foundation = [
  "Eip address-1",
  "Eip address-2",
  "EipAssociation address-1",
  "EipAssociation address-2",
  "InternetGateway site",
  "Listener site",
  "ListenerRule site-test",
  "LoadBalancer site",
  "Route site",
  "RouteTable site",
  "RouteTableAssociation site-1",
  "RouteTableAssociation site-2",
  "SecurityGroup site-frontends",
  "SecurityGroup site-load-balancer",
  "Subnet site-1",
  "Subnet site-2",
  "Table ledger",
  "Vpc site",
  "handover:site:Addresses address",
  "handover:site:Balancer site",
  "handover:site:Network site",
  "handover:site:Site site",
];
const generation = (name: string, frontends = 2) => [
  ...Array.from({ length: frontends }, (_, index) => [
    `Instance ${name}-${index + 1}`,
    `TargetGroupAttachment ${name}-${index + 1}`,
  ]).flat(),
  `LaunchTemplate ${name}`,
  `TargetGroup ${name}`,
  `handover:site:Generation ${name}`,
];

describe("site", () => {
  it("has exactly these resources when one generation serves", async () => {
    assert.deepEqual(namesOf(await resourcesOf(settled(shape, "blue"))), [...foundation, ...generation("blue")].sort());
  });

  it("has the id of its table in the tags of everything, and is not made where that is somebody else's", async () => {
    const resources = await resourcesOf(settled(shape, "blue"), config, { stated: false }, "fedcba9876543210");
    const ids = resources.flatMap(({ type, name, inputs: { tags } }) =>
      tags === undefined || type.endsWith(":Table") ? [] : [`${type} ${name} ${tags["handover:site-id"]}`],
    );
    assert.ok(ids.length > 12, String(ids));
    assert.deepEqual(
      ids.filter((each) => !each.endsWith(" fedcba9876543210")),
      [],
    );
    const stopped = await resourcesOf(settled(shape, "blue"), config, { stated: false }, "in use");
    assert.deepEqual(
      namesOf(stopped).filter((name) => !name.startsWith("handover:")),
      ["Table ledger"],
    );
  });

  it("adds one server of the new generation, and a snapshot, in launch-first", async () => {
    const expected = [
      ...foundation,
      ...generation("blue"),
      ...generation("green", 1),
      "Snapshot database-backup",
      "handover:site:Database database",
    ];
    assert.deepEqual(namesOf(await resourcesOf(intent(shape, "blue", "green", "launch-first"))), expected.sort());
  });

  it("ignores changes inside of its own inputs alone: of others the engine says each time that it cannot", async () => {
    const resources = await resourcesOf(intent(shape, "blue", "green", "launch-first"));
    const inside = resources.flatMap(({ name, inputs, ignored = [] }) =>
      ignored.flatMap((path) => {
        const [, input = ""] = /^(\w+)[.[]/.exec(path) ?? [];
        return input === "" ? [] : [{ name, path, known: input in inputs }];
      }),
    );
    assert.ok(inside.length > 0);
    assert.deepEqual(
      inside.filter(({ known }) => !known),
      [],
    );
  });

  it("deregisters the old servers in drain, and leaves them running", async () => {
    const names = namesOf(await resourcesOf(intent(shape, "blue", "green", "drain")));
    assert.ok(names.includes("Instance blue-1") && names.includes("TargetGroup blue"));
    assert.ok(!names.some((name) => name.startsWith("TargetGroupAttachment blue")));
  });

  it("leaves the old servers that are named, while the others retire", async () => {
    const names = namesOf(await resourcesOf(intent(shape, "blue", "green", "retire", 1, ["blue-2"])));
    assert.deepEqual(
      names.filter((name) => / blue/.test(name)),
      ["Instance blue-2", "LaunchTemplate blue", "TargetGroup blue", "handover:site:Generation blue"],
    );
  });

  it("launches servers with IMDSv2 only, an encrypted root volume, a public address of their own, and its tags", async () => {
    const resources = await resourcesOf(settled(shape, "blue"));
    assert.deepEqual(only(resources, "Instance", "blue-2"), {
      ami: "ami-0a1b2c3d4e5f60001",
      instanceType: "t3.small",
      subnetId: "site-2-id",
      vpcSecurityGroupIds: ["site-frontends-id"],
      associatePublicIpAddress: true,
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      rootBlockDevice: { encrypted: true },
      userData: "secret: user data of blue",
      userDataReplaceOnChange: true,
      tags: {
        Name: "handover-test-blue-2",
        "handover:site": "handover-test",
        "handover:site-id": "0123456789abcdef",
        "handover:generation": "blue",
        "handover:run": "by-hand",
      },
    });
  });

  it("gives an array's servers the same through the launch template", async () => {
    const { imageId, instanceType, userData, metadataOptions, networkInterfaces, blockDeviceMappings } = only(
      await resourcesOf(settled(shape, "blue")),
      "LaunchTemplate",
      "blue",
    );
    assert.deepEqual(
      [imageId, instanceType, userData],
      ["ami-0a1b2c3d4e5f60001", "t3.small", `secret: ${Buffer.from("user data of blue").toString("base64")}`],
    );
    assert.equal(metadataOptions.httpTokens, "required");
    assert.deepEqual(networkInterfaces, [
      { deviceIndex: 0, associatePublicIpAddress: "true", securityGroups: ["site-frontends-id"] },
    ]);
    assert.deepEqual(blockDeviceMappings, [{ deviceName: "/dev/xvda", ebs: { encrypted: "true" } }]);
  });

  it("opens the listener's port on the load balancer and the site's port on frontends, and nothing else", async () => {
    const resources = await resourcesOf(settled(shape, "blue"));
    const ports = (name: string) =>
      only(resources, "SecurityGroup", name).ingress.map(({ fromPort, toPort, protocol }: Record<string, unknown>) => [
        protocol,
        fromPort,
        toPort,
      ]);
    assert.deepEqual(ports("site-load-balancer"), [["tcp", 80, 80]]);
    assert.deepEqual(ports("site-frontends"), [["tcp", 8080, 8080]]);
    assert.equal(resources.filter(({ type }) => type.endsWith(":SecurityGroup")).length, 2);
  });

  it("takes security groups and subnets that are given, and creates none then", async () => {
    const given = exampleConfig((values) => {
      values.site.network = {
        vpcId: "vpc-1",
        subnetIds: ["subnet-1", "subnet-2"],
        frontendSubnetIds: ["subnet-3"],
        loadBalancerSecurityGroupIds: ["sg-1"],
        frontendSecurityGroupIds: ["sg-2", "sg-3"],
      };
    });
    const resources = await resourcesOf(settled(shape, "blue"), given);
    const { subnetId, vpcSecurityGroupIds } = only(resources, "Instance", "blue-2");
    assert.deepEqual([subnetId, vpcSecurityGroupIds], ["subnet-3", ["sg-2", "sg-3"]]);
    const [networkInterface] = only(resources, "LaunchTemplate", "blue").networkInterfaces;
    assert.deepEqual(networkInterface.securityGroups, ["sg-2", "sg-3"]);
    const { subnets, securityGroups } = only(resources, "LoadBalancer", "site");
    assert.deepEqual([subnets, securityGroups], [["subnet-1", "subnet-2"], ["sg-1"]]);
    assert.ok(!namesOf(resources).some((name) => name.startsWith("SecurityGroup")));
  });

  it("launches servers with the instance profile, key pair and root volume that are given, an array's too", async () => {
    const given = exampleConfig(({ generations: { blue } }) => {
      Object.assign(blue, { iamInstanceProfile: "www", keyName: "ops", rootBlockDevice: { volumeSize: 40 } });
    });
    const resources = await resourcesOf(settled(shape, "blue"), given);
    const { iamInstanceProfile, keyName, rootBlockDevice } = only(resources, "Instance", "blue-1");
    assert.deepEqual(
      [iamInstanceProfile, keyName, rootBlockDevice],
      ["www", "ops", { encrypted: true, volumeSize: 40 }],
    );
    const template = only(resources, "LaunchTemplate", "blue");
    assert.deepEqual([template.iamInstanceProfile, template.keyName], [{ name: "www" }, "ops"]);
    assert.deepEqual(template.blockDeviceMappings[0].ebs, { encrypted: "true", volumeSize: 40 });
  });

  const kmsKeyId = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-4e5f-6000-8000-000000000001";
  it("launches servers with the hop limit, monitoring, credits and placement that are given, an array's too", async () => {
    const given = exampleConfig(({ generations: { blue } }) => {
      Object.assign(blue, { metadataHopLimit: 2, monitoring: true, cpuCredits: "standard" });
      Object.assign(blue, { tenancy: "dedicated", placementGroup: "near", rootBlockDevice: { kmsKeyId } });
    });
    const resources = await resourcesOf(settled(shape, "blue"), given);
    const server = only(resources, "Instance", "blue-1");
    const template = only(resources, "LaunchTemplate", "blue");
    for (const { metadataOptions, creditSpecification } of [server, template]) {
      assert.equal(metadataOptions.httpPutResponseHopLimit, 2);
      assert.deepEqual(creditSpecification, { cpuCredits: "standard" });
    }
    assert.deepEqual([server.monitoring, server.tenancy, server.placementGroup], [true, "dedicated", "near"]);
    assert.deepEqual(
      [template.monitoring, template.placement],
      [{ enabled: true }, { tenancy: "dedicated", groupName: "near" }],
    );
    assert.equal(server.rootBlockDevice.kmsKeyId, kmsKeyId);
    assert.equal(template.blockDeviceMappings[0].ebs.kmsKeyId, kmsKeyId);
  });

  it("leaves out what no file says of servers, so that EC2 decides", async () => {
    const resources = await resourcesOf(settled(shape, "blue"), exampleConfig());
    const said = [
      "monitoring",
      "creditSpecification",
      "tenancy",
      "placementGroup",
      "placement",
      "volumeTags",
      "tagSpecifications",
    ];
    for (const each of [only(resources, "Instance", "blue-1"), only(resources, "LaunchTemplate", "blue")])
      assert.deepEqual(
        said.filter((key) => each[key] !== undefined),
        [],
      );
  });

  it("tags everything with the site's tags, and servers, their volumes and an array's with the generation's too", async () => {
    const given = exampleConfig(({ site, generations: { blue } }) => {
      site.tags = { team: "web", cost: "1" };
      blue.tags = { cost: "2", backup: "daily" };
    });
    const resources = await resourcesOf(settled(shape, "blue"), given);
    const server = only(resources, "Instance", "blue-1");
    const { team, cost, backup, Name } = server.tags;
    assert.deepEqual([team, cost, backup], ["web", "2", "daily"]);
    assert.match(Name, /blue-1$/);
    assert.deepEqual(server.volumeTags, server.tags);
    const own = { team: "web", cost: "2", backup: "daily" };
    assert.deepEqual(
      only(resources, "LaunchTemplate", "blue").tagSpecifications,
      ["instance", "volume", "network-interface"].map((resourceType) => ({ resourceType, tags: own })),
    );
    for (const [type, name] of [
      ["LoadBalancer", "site"],
      ["TargetGroup", "blue"],
    ] as const) {
      const { team, cost, backup } = only(resources, type, name).tags;
      assert.deepEqual([team, cost, backup], ["web", "1", undefined]);
    }
  });

  it("says of an adopted listener what AWS says of it, and shares traffic by weight once there are two generations", async () => {
    const adopted = exampleConfig((values) => {
      values.site.adopted = "blue";
    });
    const actions = async (desired: Parameters<typeof resourcesOf>[0]) =>
      only(await resourcesOf(desired, adopted), "Listener", "site").defaultActions;
    assert.deepEqual(await actions(settled(shape, "blue")), [
      { type: "forward", targetGroupArn: "arn:blue", forward: { targetGroups: [{ arn: "arn:blue", weight: 1 }] } },
    ]);
    const [{ targetGroupArn, forward }] = await actions(intent(shape, "blue", "green", "launch-first"));
    assert.deepEqual(
      [targetGroupArn, forward.targetGroups.map(({ weight }: { weight: number }) => weight)],
      [undefined, [100, 0]],
    );
  });

  it("shares traffic by weight and reaches the generation under test by its host name", async () => {
    const resources = await resourcesOf(intent(shape, "blue", "green", "connect", 1));
    assert.deepEqual(only(resources, "Listener", "site").defaultActions, [
      {
        type: "forward",
        forward: {
          targetGroups: [
            { arn: "arn:blue", weight: 90 },
            { arn: "arn:green", weight: 10 },
          ],
        },
      },
    ]);
    const { conditions, actions, priority } = only(resources, "ListenerRule", "site-test");
    assert.deepEqual(
      [conditions, actions, priority],
      [
        [{ hostHeader: { values: ["test.staging.example.com"] } }],
        [{ type: "forward", targetGroupArn: "arn:green" }],
        1,
      ],
    );
  });

  it("speaks HTTPS when there is a certificate", async () => {
    const secure = exampleConfig((values) => {
      values.site.loadBalancer = { port: 443, certificateArn: "arn:aws:acm:us-east-1:123456789012:certificate/1" };
    });
    const { protocol, port, certificateArn } = only(
      await resourcesOf(settled(shape, "blue"), secure),
      "Listener",
      "site",
    );
    assert.deepEqual(
      [protocol, port, certificateArn],
      ["HTTPS", 443, "arn:aws:acm:us-east-1:123456789012:certificate/1"],
    );
  });

  it("moves the first address alone, once no old server has traffic", async () => {
    const resources = await resourcesOf(intent(shape, "blue", "green", "move-addresses", 2));
    const holder = (name: string) => only(resources, "EipAssociation", name);
    assert.deepEqual(holder("address-1"), {
      allocationId: "address-1-id",
      instanceId: "green-1-id",
      allowReassociation: true,
    });
    assert.equal(holder("address-2").instanceId, "blue-2-id");
  });

  it("uses an address that the file names, and has no resource that could release it", async () => {
    const ids = ["address-1-id", "eipalloc-2"];
    const config = exampleConfig((values) => {
      values.site.elasticIps = ids.with(0, "eipalloc-1");
    });
    const named = [undefined, { allocationId: "eipalloc-2", publicIp: "198.51.100.2" }];
    const resources = await resourcesOf(settled(shape, "blue"), config, undefined, undefined, named);
    const names = namesOf(resources);
    assert.ok(names.includes("Eip address-1") && !names.includes("Eip address-2"));
    const allocations = ["address-1", "address-2"].map((name) => only(resources, "EipAssociation", name).allocationId);
    assert.deepEqual(allocations, ids);
  });

  it("takes new addresses from the pool that the file names, and leaves those that are there", async () => {
    for (const pool of [{ publicIpv4Pool: "ipv4pool-ec2-0a1b" }, { ipamPoolId: "ipam-pool-0a1b" }]) {
      const config = exampleConfig((values) => {
        values.site.elasticIps = { count: 2, ...pool };
      });
      const resources = await resourcesOf(settled(shape, "blue"), config);
      const { publicIpv4Pool, ipamPoolId } = only(resources, "Eip", "address-1");
      assert.deepEqual({ publicIpv4Pool, ipamPoolId }, { publicIpv4Pool: undefined, ipamPoolId: undefined, ...pool });
      const { ignored } = resources.find(({ type, name }) => type.endsWith(":Eip") && name === "address-2") ?? {};
      assert.ok(ignored?.includes("publicIpv4Pool") && ignored.includes("ipamPoolId"));
    }
  });

  it("uses an existing network by its ids, and creates only security groups in it", async () => {
    const existing = exampleConfig((values) => {
      values.site.network = { vpcId: "vpc-1", subnetIds: ["subnet-1", "subnet-2"] };
    });
    const resources = await resourcesOf(settled(shape, "blue"), existing);
    assert.ok(!namesOf(resources).some((name) => /^(Vpc|Subnet|InternetGateway|Route)/.test(name)));
    const { subnetId, associatePublicIpAddress } = only(resources, "Instance", "blue-1");
    assert.deepEqual([subnetId, associatePublicIpAddress], ["subnet-1", true]);
    assert.equal(only(resources, "SecurityGroup", "site-frontends").vpcId, "vpc-1");
  });

  it("backs up an RDS instance under a name of its run", async () => {
    const rds = exampleConfig((values) => {
      values.site.database = { dbInstanceIdentifier: "www" };
      values.run = { id: "r1", from: "blue", to: "green" };
    });
    const { dbInstanceIdentifier, dbSnapshotIdentifier } = only(
      await resourcesOf(intent(shape, "blue", "green", "backup"), rds),
      "Snapshot",
      "database-backup",
    );
    assert.deepEqual([dbInstanceIdentifier, dbSnapshotIdentifier], ["www", "handover-test-r1"]);
  });

  it("keeps the ledger in a table whose name is known before the stack is", async () => {
    const { name, hashKey, rangeKey, billingMode } = only(await resourcesOf(settled(shape, "blue")), "Table", "ledger");
    assert.deepEqual([name, hashKey, rangeKey, billingMode], ["handover-test", "pk", "sk", "PAY_PER_REQUEST"]);
  });
});

describe("network", () => {
  it("uses the first two quarters of its block for subnets", () => {
    assert.deepEqual(quarters("10.20.0.0/16"), ["10.20.0.0/18", "10.20.64.0/18"]);
    assert.deepEqual(quarters("127.64.16.0/20"), ["127.64.16.0/22", "127.64.20.0/22"]);
  });
});
