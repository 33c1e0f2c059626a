import { isDeepStrictEqual } from "node:util";
import { types } from "../../stacks/names.ts";
import type { Outputs } from "../../stacks/outputs.ts";
import type { Aws } from "../cloud/aws.ts";
import { messageOf } from "../errors.ts";
import type { Drive } from "./drive.ts";
import { readAgain } from "./recovery.ts";

/**
 * Reads arrays into the state again whose processes somebody suspended or resumed since they were last read: the provider
 * compares what a run suspends with the state, and would leave alone what is no longer so in AWS.
 */
export async function readSuspensions(drive: Drive, outputs: Outputs | undefined): Promise<void> {
  const { opened, ledger, options } = drive;
  const names = Object.values(outputs?.generations ?? {}).flatMap(({ array }) => array?.name ?? []);
  if (names.length === 0) return;
  const signal = AbortSignal.any([options.signals.stop, ledger.lost]);
  try {
    const changed = await changedArrays(opened, names, signal);
    if (changed.length > 0) await readAgain(opened.engine, changed, signal);
  } catch (error) {
    signal.throwIfAborted();
    const message = `Suspended processes could not be compared with the state: ${ledger.redact(messageOf(error))}`;
    ledger.tell({ type: "warning", message });
  }
}

/** @returns URNs of arrays of which the state has other suspended processes than AWS */
async function changedArrays(
  { engine, aws }: { engine: Pick<Drive["opened"]["engine"], "state">; aws: Pick<Aws, "arrays"> },
  names: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const { resources = [] } = await engine.state.export();
  const arrays = resources.filter(({ type, id = "" }) => type === types.autoScalingGroup && names.includes(id));
  const compared = await Promise.all(
    arrays.map(async ({ urn, id = "", outputs: { suspendedProcesses = [] } = {} }) => {
      const now = await aws.arrays.find(id, signal);
      const [known, shown] = [suspendedProcesses as string[], now?.suspendedProcesses ?? []].map((all) =>
        [...all].sort(),
      );
      return now === undefined || isDeepStrictEqual(known, shown) ? [] : [urn];
    }),
  );
  return compared.flat();
}
