import { spawn } from "node:child_process";
import { Socket } from "node:net";

let started: Promise<string> | undefined;

/**
 * Starts a DynamoDB for all tests of this process, unless `AWS_ENDPOINT_URL` names one already: moto of the sandbox's
 * Python, on a free port of the loopback interface. It ends with the process.
 */
export async function startDynamoDb(): Promise<void> {
  started ??= process.env.AWS_ENDPOINT_URL ? Promise.resolve(process.env.AWS_ENDPOINT_URL) : start();
  process.env.AWS_ENDPOINT_URL = await started;
}

function start(): Promise<string> {
  const python = process.env.HANDOVER_PYTHON;
  if (!python) throw new Error("HANDOVER_PYTHON is not set: run the tests with `make test`, which brings moto.");
  const child = spawn(python, ["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  process.once("exit", () => child.kill());
  return new Promise((resolve, reject) => {
    let log = "";
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`moto ended: ${log}`)));
    // Its log is read to the end, or moto would stop at a full pipe; neither keeps this process from ending.
    child.stderr.on("data", (chunk) => {
      if (log.length < 10_000) log += chunk;
      const url = /Running on (http:\S+)/.exec(log)?.[1];
      if (url === undefined) return;
      resolve(url);
      child.unref();
      if (child.stderr instanceof Socket) child.stderr.unref();
    });
  });
}
