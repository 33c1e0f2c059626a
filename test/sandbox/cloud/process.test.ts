import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { promisify } from "node:util";
import { AllocateAddressCommand, CreateVpcCommand, DescribeInstancesCommand } from "@aws-sdk/client-ec2";
import { isRunning } from "../../../sandbox/processes.ts";
import { cloudForTests, eventually, type TestCloud } from "../support.ts";
import { launch, network, targetGroup } from "./world.ts";

const run = promisify(execFile);

describe("The cloud's process", () => {
  let cloud: TestCloud;
  before(async () => {
    cloud = await cloudForTests();
  });
  after(() => cloud.stop());

  it("serves the AWS command line", async () => {
    const probe = await run("aws", ["--version"]).catch(() => undefined);
    if (probe === undefined) return;
    const { PublicIp } = await cloud.ec2.send(new AllocateAddressCommand({ Domain: "vpc" }));
    const world = await network(cloud.ec2);
    const { TargetGroupArn = "" } = await targetGroup(cloud.elb, world);
    const aws = async (...args: string[]) => {
      const env = {
        ...process.env,
        AWS_ENDPOINT_URL: cloud.url,
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
        AWS_DEFAULT_REGION: "us-east-1",
        AWS_EC2_METADATA_DISABLED: "true",
      };
      return JSON.parse((await run("aws", [...args, "--output", "json"], { env })).stdout);
    };
    const { Addresses } = await aws("ec2", "describe-addresses");
    assert.ok(Addresses.some((address: { PublicIp: string }) => address.PublicIp === PublicIp));
    const health = await aws("elbv2", "describe-target-health", "--target-group-arn", TargetGroupArn);
    assert.deepEqual(health.TargetHealthDescriptions, []);
  });

  it("describes 100 instances whole and one by one", async () => {
    await cloud.control("POST", "reset");
    for (let count = 0; count < 100; count += 25) await launch(cloud.ec2, { MinCount: 25, MaxCount: 25 });
    const { Reservations = [] } = await cloud.ec2.send(new DescribeInstancesCommand({}));
    const ids = Reservations.flatMap(({ Instances = [] }) => Instances.map(({ InstanceId = "" }) => InstanceId));
    assert.equal(new Set(ids).size, 100);
    const some = await cloud.ec2.send(new DescribeInstancesCommand({ InstanceIds: [ids[3] ?? "", ids[60] ?? ""] }));
    assert.equal(some.Reservations?.flatMap(({ Instances = [] }) => Instances).length, 2);
  });

  it("answers in one piece, and keeps the connection for the next call", async () => {
    const { hostname, port } = new URL(cloud.url);
    const socket = connect(Number(port), hostname);
    try {
      for (const call of ["first", "second"]) {
        socket.write(`GET /sandbox/calls?accessKey=${call} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
        const [piece] = await once(socket, "data");
        assert.match(String(piece), /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n\{\}$/);
      }
    } finally {
      socket.destroy();
    }
  });

  it("needs less than 150 MB", () => {
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${cloud.pid}/status`, "utf8"))?.[1];
    assert.ok(Number(kilobytes) < 150 * 1024, `${kilobytes} kB`);
  });

  it("listens on its own address only, and opens no connection", () => {
    const inodes = new Set(
      readdirSync(`/proc/${cloud.pid}/fd`).flatMap((descriptor) => {
        try {
          const target = readFileSync(`/proc/${cloud.pid}/fdinfo/${descriptor}`, "utf8");
          return /ino:\s*(\d+)/.exec(target)?.[1] ?? [];
        } catch {
          return [];
        }
      }),
    );
    const sockets = readFileSync("/proc/net/tcp", "utf8")
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => inodes.has(fields[9] ?? ""));
    const local = new Set(sockets.map((fields) => fields[1]));
    assert.equal(local.size, 1, [...local].join(" "));
  });

  it("ends at once, whatever connections and long polls are open", async () => {
    const own = await cloudForTests();
    const agent = new Agent({ keepAlive: true });
    for (const path of ["/sandbox/calls", "/sandbox/state?after=999999&waitSeconds=60"]) {
      const call = request(`${own.url}${path}`, { agent }, (response) => response.resume());
      call.on("error", () => {});
      call.end();
    }
    await own.ec2.send(new CreateVpcCommand({ CidrBlock: "10.0.0.0/16" }));
    process.kill(own.pid, "SIGTERM");
    await eventually(async () => !isRunning(own.pid), "the process's end", 2);
    agent.destroy();
    await own.stop();
  });
});
