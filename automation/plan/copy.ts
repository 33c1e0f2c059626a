import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scratchBackend } from "../engine/backend.ts";
import { Engine } from "../engine/engine.ts";
import { HandoverError } from "../errors.ts";
import { type OpenStack, openStack, stackFileOf } from "../run/open-stack.ts";
import { startSimulator } from "./simulator.ts";

/** A stack, and a copy of it that may be updated: its backend is a folder that goes with it. */
export interface Copy {
  /** Its engine must not be asked to change anything. */
  readonly opened: OpenStack;
  readonly engine: Engine;
  close(): void;
}

/**
 * Copies a stack's state into a backend of its own. What is secret in it stays encrypted as the stack has it.
 * @param cloud the copy's: a simulated one may be changed, the real one only be read
 * @throws ConfigError or HandoverError (exit 1); nothing was created
 */
export async function openCopy(stack: string, cloud: "simulated" | "real" = "simulated"): Promise<Copy> {
  const directory = mkdtempSync(join(tmpdir(), "handover-plan-"));
  const toClose: { close(): void }[] = [{ close: () => rmSync(directory, { recursive: true, force: true }) }];
  const keep = <T extends { close(): void }>(each: T): T => {
    toClose.push(each);
    return each;
  };
  const close = () => {
    for (const each of toClose.splice(0).reverse()) each.close();
  };
  const openScratch = async () => {
    const plugin = cloud === "simulated" ? keep(await startSimulator()).environment : {};
    const environment = { ...scratchBackend(directory), ...plugin };
    return { environment, engine: keep(await Engine.open(stackFileOf(stack), { create: true, environment })) };
  };
  // The slowest part is starting processes, so both are opened side by side.
  const [original, scratch] = await Promise.allSettled([openStack(stack, { create: false }).then(keep), openScratch()]);
  try {
    if (original.status === "rejected" && !isNotDeployed(original.reason)) throw original.reason;
    if (scratch.status === "rejected") throw scratch.reason;
    const { engine, environment } = scratch.value;
    if (original.status === "rejected") {
      // There is nothing to copy, and nothing is created where the stack would be.
      return { opened: keep(await openStack(stack, { create: false, environment })), engine, close };
    }
    await original.value.engine.state.copyTo(engine.state);
    return { opened: original.value, engine, close };
  } catch (error) {
    close();
    throw error;
  }
}

function isNotDeployed(error: unknown): boolean {
  return error instanceof HandoverError && error.code === "stack-not-deployed";
}
