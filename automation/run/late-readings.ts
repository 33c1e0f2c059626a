import { isDeepStrictEqual } from "node:util";
import type { StateResource } from "../engine/deployment.ts";
import type { LateReading } from "../engine/recorder.ts";
import { type Readable, readAgain } from "./recovery.ts";

/**
 * Reads resources again until the state shows their change. A state that is behind hides the way back: what goes back to the
 * values of before is no change to the provider, which would leave AWS as it is.
 * @param patience how long AWS has to show it, in seconds. Default: as for everything that is read again.
 * @returns those that AWS still shows as before
 */
export async function readLate(
  engine: Readable,
  late: readonly LateReading[],
  signal: AbortSignal,
  patience?: number,
): Promise<readonly LateReading[]> {
  const urns = late.map(({ urn }) => urn);
  const isDone = (reading: StateResource) => !late.some((each) => isBefore(each, reading));
  await readAgain(engine, urns, signal, { isDone, ...(patience !== undefined && { patience }) });
  const { resources = [] } = await engine.state.export();
  return late.filter((each) => resources.some((resource) => isBefore(each, resource)));
}

function isBefore({ urn, before }: LateReading, { urn: other, outputs }: StateResource): boolean {
  return urn === other && Object.entries(before).some(([key, was]) => isDeepStrictEqual(outputs?.[key], was));
}
