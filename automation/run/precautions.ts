import type { Outputs } from "../../stacks/outputs.ts";
import type { Plan } from "../engine/plan.ts";
import { messageOf } from "../errors.ts";
import { GateError } from "../gates/gate-error.ts";
import { volumesStay } from "../gates/volumes.ts";
import type { Row, RunIdentity } from "../runbook/rows.ts";
import type { Drive } from "./drive.ts";
import type { HeldGates } from "./held-gates.ts";
import { endingServers, keepVolumes } from "./keep-volumes.ts";
import { makeUp, suspendedBefore } from "./missed-actions.ts";

/** A precaution that was taken before an update. */
export interface Taken {
  readonly waitedSeconds: number;
  /** The part of it that comes after the update. */
  readonly afterwards: () => Promise<void>;
}

/**
 * Care that an update's plan cannot take: volumes outlive the servers that it ends, and scheduled actions that fell due
 * while a run had suspended them are made up for when it resumes the array.
 */
export class Precautions {
  readonly #drive: Drive;
  readonly #identity: RunIdentity;
  readonly #gates: HeldGates;

  constructor(drive: Drive, identity: RunIdentity, gates: HeldGates) {
    this.#drive = drive;
    this.#identity = identity;
    this.#gates = gates;
  }

  /** @throws GateError where a volume would be lost, or an array's scheduled actions cannot be asked for */
  async take(row: Row, plan: Plan, outputs: Outputs): Promise<Taken> {
    const { aws } = this.#drive.opened;
    const { signal } = this.#gates;
    const waitedSeconds = await this.#keepVolumes(row, plan, outputs);
    const suspended = await this.#seen(row, () => suspendedBefore(row, this.#identity, outputs, aws, signal));
    const afterwards = async () => {
      if (suspended !== undefined) this.#warn(await this.#seen(row, () => makeUp(suspended, aws, signal)));
    };
    return { waitedSeconds, afterwards };
  }

  /** Volumes beside the root may hold what is nowhere else. @returns how long was waited, in seconds */
  async #keepVolumes(row: Row, { operations }: Plan, outputs: Outputs): Promise<number> {
    const { ledger, opened } = this.#drive;
    const servers = endingServers(operations, outputs, opened.aws);
    if (servers === undefined) return 0;
    const { kept, problems } = await keepVolumes(servers, opened.aws, this.#gates.signal);
    this.#warn(problems.map((problem) => `a volume was not kept: ${ledger.redact(problem)}`));
    this.#warn(
      kept.map(
        ({ volumeId, device, instanceId }) =>
          `${volumeId} (${device} of ${instanceId}) stays when its server ends; it costs until somebody deletes it`,
      ),
    );
    return this.#gates.hold(row, { hold: [volumesStay(opened.aws, servers)] });
  }

  /** Scheduled actions that could not be asked for, or made up for, are no evidence against a server. */
  async #seen<T>(row: Row, look: () => Promise<T>): Promise<T> {
    const { ledger, options } = this.#drive;
    try {
      return await look();
    } catch (error) {
      options.signals.stop.throwIfAborted();
      const evidence = { error: ledger.redact(messageOf(error)) };
      throw new GateError(row, [{ gate: "missed scheduled actions", verdict: "inconclusive", evidence, seconds: 0 }]);
    }
  }

  #warn(messages: readonly string[]): void {
    for (const message of messages) this.#drive.ledger.tell({ type: "warning", message });
  }
}
