import assert from "node:assert/strict";
import { describe as describeSite } from "../../../automation/adopt/adopt.ts";
import { declaration } from "../../../automation/adopt/declaration.ts";
import type { Asked } from "../../../automation/adopt/facts.ts";
import { parseConfig } from "../../../stacks/config.ts";
import { settled, shapeOf } from "../../../stacks/intent.ts";
import { namesOf, resourcesOf } from "../../stacks/resources.ts";
import { asked, changed } from "./facts.ts";

const plain = changed(() => {});
// biome-ignore lint/suspicious/noExplicitAny: the file's values are data
const declared = (facts = plain, more: Partial<Asked> = {}): any => declaration({ ...asked, ...more }, facts);
const remarksOf = (change: Parameters<typeof changed>[0]) => describeSite(asked, changed(change)).remarks;

describe("adopting a site", () => {
  it("describes it as it is", () => {
    assert.deepEqual(declared(), {
      "aws:region": "us-east-1",
      "handover:site": {
        hostname: "www.example.com",
        testHostname: "test.example.com",
        port: 8080,
        network: {
          vpcId: "vpc-0000000000000001",
          subnetIds: ["subnet-000000000000000c", "subnet-000000000000000b", "subnet-000000000000000a"],
          loadBalancerSecurityGroupIds: ["sg-0000000000000001"],
          frontendSecurityGroupIds: ["sg-0000000000000002"],
        },
        loadBalancer: {
          port: 80,
          healthCheck: {
            path: "/ping",
            intervalSeconds: 30,
            timeoutSeconds: 5,
            healthyThreshold: 5,
            unhealthyThreshold: 2,
            matcher: "200-299",
          },
          deregistrationDelaySeconds: 300,
        },
        elasticIps: 2,
        adopted: "blue",
      },
      "handover:generations": {
        blue: {
          imageId: "ami-0a1b2c3d4e5f60001",
          instanceType: "t3.small",
          iamInstanceProfile: "www",
          keyName: "ops",
          rootBlockDevice: { volumeSize: 20, volumeType: "gp3" },
          frontends: 3,
        },
      },
      "handover:live": "blue",
    });
  });

  it("launches new servers where the old ones are when that is not where the load balancer is", () => {
    const facts = changed(({ instances }) => {
      for (const instance of instances) instance.SubnetId = "subnet-000000000000000d";
    });
    const { network } = declared(facts)["handover:site"];
    assert.deepEqual([network.subnetIds.length, network.frontendSubnetIds], [3, ["subnet-000000000000000d"]]);
  });

  it("takes further Elastic IPs from the pool that all of them are from", () => {
    const from = (...pools: readonly string[]) =>
      declared(
        changed(({ addresses }) => {
          for (const [index, address] of addresses.entries()) address.PublicIpv4Pool = pools[index];
        }),
      )["handover:site"].elasticIps;
    const [own, ipam] = ["ipv4pool-ec2-0a1b", "ipam-pool-0a1b"];
    assert.deepEqual(from(own, own), { count: 2, publicIpv4Pool: own });
    assert.deepEqual(from(ipam, ipam), { count: 2, ipamPoolId: ipam });
    assert.deepEqual([from(own, "amazon"), from("amazon", "amazon")], [2, 2]);
  });

  it("keeps certificate, stickiness and database", () => {
    const facts = changed(({ listener, attributes }) => {
      Object.assign(listener.listener, { Protocol: "HTTPS", Port: 443, Certificates: [{ CertificateArn: "arn:1" }] });
      attributes["stickiness.enabled"] = "true";
    });
    const volume = declared(facts, { database: "vol-0a1b2c3d" })["handover:site"];
    assert.deepEqual([volume.loadBalancer.certificateArn, volume.loadBalancer.stickinessSeconds], ["arn:1", 86400]);
    assert.deepEqual(volume.database, { volumeId: "vol-0a1b2c3d" });
    assert.deepEqual(declared(plain, { database: "www-db" })["handover:site"].database, {
      dbInstanceIdentifier: "www-db",
    });
  });

  it("imports what the program declares under the program's names, so that an update only adds", async () => {
    const { resources, frontends } = describeSite(asked, plain);
    assert.deepEqual(frontends, ["i-0000000000000002", "i-0000000000000003", "i-0000000000000001"]);
    const values = Object.entries(declared()).map(([key, value]) => [key.replace("handover:", ""), value]);
    const { "aws:region": _, ...own } = Object.fromEntries(values);
    const config = parseConfig(own, import.meta.dirname);
    const program = namesOf(await resourcesOf(settled(shapeOf(config), "blue"), config));
    const imported = namesOf(resources.map(({ type, logicalName = "" }) => ({ type, name: logicalName, inputs: {} })));
    assert.deepEqual(
      imported.filter((name) => !program.includes(name)),
      [],
    );
    assert.deepEqual(
      program.filter((name) => !imported.includes(name)),
      ["LaunchTemplate blue", "ListenerRule site-test", "Table ledger"],
    );
  });

  it("gives each resource its id, the plugin's version and a parent that is in the file", () => {
    const { resources } = describeSite(asked, plain);
    const names = resources.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const { parent, name, id, component, version } of resources) {
      assert.ok(parent === undefined ? name === "Site-site" : names.includes(parent), name);
      assert.equal(component === true, id === undefined, name);
      assert.equal(version, component === true ? undefined : "7.48.0");
    }
    const idOf = (name: string) => resources.find((each) => each.name === name)?.id;
    assert.deepEqual(["Instance-blue-1", "Eip-address-1", "EipAssociation-address-2"].map(idOf), [
      "i-0000000000000002",
      "eipalloc-1",
      "eipassoc-2",
    ]);
    assert.match(idOf("TargetGroupAttachment-blue-3") ?? "", /^arn:.*targetgroup\/www\/1,i-0000000000000001,8080$/);
  });

  it("takes the user data of the first server over, if cloud-init takes them in parts", () => {
    const told = (text: string) =>
      describeSite(
        asked,
        changed((facts) => {
          for (const { InstanceId } of facts.instances) facts.userData[InstanceId] = Buffer.from(text);
        }),
      );
    assert.equal(told("#!/bin/sh\necho\n").files["frontends/www-user-data"], "#!/bin/sh\necho\n");
    assert.match(told("#!/bin/sh\n").files["Pulumi.www.yaml"] ?? "", /userDataFile: frontends\/www-user-data/);
    for (const unfit of ["\u001f\u008b gzip", "#cloud-config-archive\n[]\n", `#!/bin/sh\n${"#".repeat(16_000)}`]) {
      const { files, remarks } = told(unfit);
      assert.equal(files["frontends/www-user-data"], undefined);
      assert.match(remarks.join(), /userDataFile of its own/);
    }
  });

  it("says in what the next generation will be another, and nothing when it will not", () => {
    assert.deepEqual(
      remarksOf(() => {}),
      [],
    );
    const told = remarksOf(
      ({ instances, attributes, listener, targetGroup, userData, terminationProtected, typeInfo }) => {
        terminationProtected.push("i-0000000000000001");
        typeInfo.hasInstanceStore = true;
        instances[0].PublicIpAddress = "192.0.2.9";
        instances[1].MetadataOptions.HttpTokens = "optional";
        instances[2].BlockDeviceMappings.push({ DeviceName: "/dev/sdf", Ebs: { VolumeId: "vol-000000000000000f" } });
        attributes["slow_start.duration_seconds"] = "60";
        targetGroup.Matcher.HttpCode = "201-299,302";
        listener.listener.DefaultActions[0].ForwardConfig.TargetGroups[0].Weight = 100;
        userData["i-0000000000000002"] = Buffer.from("#!/bin/sh\n");
      },
    );
    for (const remark of [
      /i-0000000000000001: public addresses that the subnet assigned/,
      /i-0000000000000002: IMDSv1/,
      /i-0000000000000003: volumes beside the root/,
      /(i-\d+, ){2}i-\d+: an instance store\. What is on it is lost/,
      /i-0000000000000001: termination protection\. Turn it off/,
      /do not take the status 200/,
      /slow_start\.duration_seconds is 60/,
      /the weight 1 instead of 100/,
      /i-0000000000000003, i-0000000000000001: other user data than i-0000000000000002/,
    ])
      assert.match(told.join("\n"), remark);
  });
});
