import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { promisify } from "node:util";
import {
  AllocateAddressCommand,
  CreateVpcCommand,
  DescribeInstancesCommand,
  DescribeVpcsCommand,
} from "@aws-sdk/client-ec2";
import { isRunning } from "../../../sandbox/processes.ts";
import { cloudForTests, eventually, type TestCloud } from "../support.ts";
import { launch, network, running, targetGroup } from "./world.ts";

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

  it("describes 100 instances in less than half a second", async () => {
    const { Reservations } = await cloud.ec2.send(new DescribeInstancesCommand({}));
    assert.ok(Reservations);
    for (let count = 0; count < 100; count += 10) await launch(cloud.ec2, { MinCount: 10, MaxCount: 10 });
    const times: number[] = [];
    for (let turn = 0; turn < 5; turn++) {
      const since = performance.now();
      await cloud.ec2.send(new DescribeInstancesCommand({}));
      times.push(performance.now() - since);
    }
    assert.ok(Math.min(...times) < 500, `${times.map(Math.round)} ms`);
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

  it("ends within a second, whatever connections and long polls are open", async () => {
    const own = await cloudForTests();
    const agent = new Agent({ keepAlive: true });
    for (const path of ["/sandbox/calls", "/sandbox/state?after=999999&waitSeconds=60"]) {
      const call = request(`${own.url}${path}`, { agent }, (response) => response.resume());
      call.on("error", () => {});
      call.end();
    }
    await own.ec2.send(new CreateVpcCommand({ CidrBlock: "10.0.0.0/16" }));
    const since = Date.now();
    process.kill(own.pid, "SIGTERM");
    await eventually(async () => !isRunning(own.pid), "the process's end", 5);
    agent.destroy();
    assert.ok(Date.now() - since < 1000, `${Date.now() - since} ms`);
    await own.stop();
  });
});
