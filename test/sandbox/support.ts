import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AutoScalingClient } from "@aws-sdk/client-auto-scaling";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EC2Client } from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { RDSClient } from "@aws-sdk/client-rds";
import { startCloud } from "../../sandbox/cloud/start.ts";
import { stopProcess } from "../../sandbox/processes.ts";
import { type Slot, slot, slotCount } from "../../sandbox/slot.ts";

export { eventually } from "../eventually.ts";

/** Clients of one cloud. They do not try again: a test sees each answer as it is. */
export interface Clients {
  readonly ec2: EC2Client;
  readonly elb: ElasticLoadBalancingV2Client;
  readonly dynamodb: DynamoDBClient;
  readonly rds: RDSClient;
  readonly autoScaling: AutoScalingClient;
}

export interface TestCloud extends Clients {
  readonly url: string;
  readonly slot: Slot;
  readonly pid: number;
  /** Clients with settings of their own, for example a region or retries. */
  clients(settings?: ClientSettings): Clients;
  /** A call to the cloud's control API; returns the parsed answer. */
  control(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

export interface ClientSettings {
  readonly region?: string;
  readonly maxAttempts?: number;
  readonly retryMode?: "standard" | "adaptive";
}

/**
 * Starts a cloud for the tests of one file. Instances, snapshots and load balancers are quick, unless `config` says
 * otherwise. Test files run side by side, so a slot that another file takes in the meantime is passed over.
 */
export async function cloudForTests(config: Readonly<Record<string, unknown>> = {}): Promise<TestCloud> {
  const directory = mkdtempSync(join(tmpdir(), "handover-cloud-"));
  const logFile = join(directory, "cloud.log");
  const quick = {
    bootSeconds: 0.1,
    statusCheckSeconds: 0.1,
    shutdownSeconds: 0.1,
    snapshotSeconds: 0.1,
    provisionSeconds: 0.1,
  };
  const first = process.pid % slotCount;
  for (let attempt = 0; attempt < slotCount; attempt++) {
    const candidate = slot((first + attempt) % slotCount);
    try {
      const started = await startCloud({ slot: candidate, logFile, config: { ...quick, ...config } });
      return testCloud(started.url, candidate, started.process.pid ?? 0, directory);
    } catch (error) {
      if (!/already in use/i.test(String(error))) throw error;
    }
  }
  throw new Error(`all ${slotCount} slots are in use: ${readFileSync(logFile, "utf8")}`);
}

function testCloud(url: string, used: Slot, pid: number, directory: string): TestCloud {
  const opened: { destroy(): void }[] = [];
  const clients = ({ region = "us-east-1", maxAttempts = 1, retryMode = "standard" }: ClientSettings = {}): Clients => {
    const options = {
      endpoint: url,
      region,
      maxAttempts,
      retryMode,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    };
    const result = {
      ec2: new EC2Client(options),
      elb: new ElasticLoadBalancingV2Client(options),
      dynamodb: new DynamoDBClient(options),
      rds: new RDSClient(options),
      autoScaling: new AutoScalingClient(options),
    };
    opened.push(...Object.values(result));
    return result;
  };
  return {
    url,
    slot: used,
    pid,
    ...clients(),
    clients,
    control: async (method, path, body) => {
      const response = await fetch(`${url}/sandbox/${path}`, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${response.status}: ${text}`);
      return text === "" ? undefined : JSON.parse(text);
    },
    stop: async () => {
      for (const client of opened) client.destroy();
      await stopProcess(pid);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** What a rejected call has in `name`: AWS's error code. */
export async function errorCode(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    return (error as Error).name;
  }
  return "none";
}
