import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { exitCodes, HandoverError } from "../errors.ts";

/** A plugin for the resources of `aws` that reads the cloud and changes nothing in it. */
export interface Simulator {
  /** For the engine: https://www.pulumi.com/docs/iac/guides/building-extending/providers/pulumi-provider-authors/#debugging */
  readonly environment: { readonly PULUMI_DEBUG_PROVIDERS: string };
  close(): void;
}

/**
 * Starts the program that `HANDOVER_SIMULATOR` names. Like every plugin of Pulumi it listens on a free port of this
 * machine, prints it as its first line, and ends with the process that started it.
 */
export async function startSimulator(): Promise<Simulator> {
  const program = process.env.HANDOVER_SIMULATOR;
  if (program === undefined || program === "") throw noSimulator("HANDOVER_SIMULATOR does not name it");
  const plugin = spawn(program, { stdio: ["ignore", "pipe", "ignore"] });
  const failed = Promise.race([
    once(plugin, "error").then(([error]) => String(error)),
    once(plugin, "exit").then(([code]) => `it ended with ${code}`),
  ]);
  const line = once(createInterface(plugin.stdout), "line").then(([text]) => Number(text));
  const port = await Promise.race([line, failed]);
  if (typeof port === "string" || !Number.isInteger(port)) {
    plugin.kill();
    throw noSimulator(`${program}: ${port}`);
  }
  return {
    environment: { PULUMI_DEBUG_PROVIDERS: `aws:${port}` },
    close: () => {
      plugin.stdout.destroy();
      plugin.kill();
    },
  };
}

function noSimulator(problem: string): HandoverError {
  return new HandoverError(
    "no-simulator",
    exitCodes.usage,
    `The simulating plugin did not start (${problem}). Nothing was changed. Start the command as ./handover, which names it`,
  );
}
