import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { ledgerTableName } from "../stacks/ledger-table.ts";
import type { Applied, Plan } from "./engine.ts";
import type { GateResult } from "./gates/gate.ts";
import type { GatedRow } from "./gates/of-row.ts";
import type { Json, LedgerEvent } from "./ledger/events.ts";
import { type Journal, openJournal } from "./ledger/journal.ts";
import { acquireLease, currentOwner, type Lease } from "./ledger/lease.ts";
import { digestKey, redact } from "./ledger/redact.ts";
import type { LedgerTable } from "./ledger/table.ts";
import type { Operation } from "./recorder.ts";
import { retries } from "./retries.ts";
import type { Update } from "./updates.ts";

export interface LeaseWish {
  /** As a person would type it. */
  readonly command: string;
  /** How long to wait for a lease that another run holds. Default: 0. */
  readonly waitSeconds?: number;
  /** Take the lease of a process that has died on this machine. Default: false. */
  readonly takeOver?: boolean;
  /** How long the lease lasts without a heartbeat. Default: 60. */
  readonly leaseSeconds?: number;
}

/** A run's side of the ledger: what it writes down, without secrets, and the lease under which it works. */
export class RunLedger {
  readonly #journal: Journal | undefined;
  readonly #lease: Lease | undefined;
  readonly #client: DynamoDBClient | undefined;
  readonly #secrets: ReadonlySet<string>;
  readonly #key = digestKey();

  constructor(secrets: ReadonlySet<string>, held?: { journal?: Journal; lease?: Lease; client?: DynamoDBClient }) {
    this.#secrets = secrets;
    this.#journal = held?.journal;
    this.#lease = held?.lease;
    this.#client = held?.client;
  }

  /**
   * Takes the stack's lease and opens its journal.
   * @throws LeaseHeldError (exit 5), LedgerMissingError when the site is not deployed
   */
  static async open(
    stack: string,
    region: string,
    secrets: ReadonlySet<string>,
    wish: LeaseWish,
    signal: AbortSignal,
  ): Promise<RunLedger> {
    const table = ledgerOf(stack, region);
    let lease: Lease | undefined;
    try {
      lease = await acquireLease({
        ...table,
        ...wish,
        seconds: wish.leaseSeconds,
        owner: currentOwner(),
        signal,
      });
      return new RunLedger(secrets, { lease, journal: await openJournal({ ...table, lease }), client: table.client });
    } catch (error) {
      await lease?.release();
      table.client.destroy();
      throw error;
    }
  }

  /** The same lease for what is no run: nothing is written down. */
  unrecorded(): RunLedger {
    return new RunLedger(this.#secrets, { lease: this.#lease, client: this.#client });
  }

  /** Aborts when the lease is lost: nothing more may be done. */
  get lost(): AbortSignal {
    return this.#lease?.lost ?? new AbortController().signal;
  }

  /** @throws LeaseLostError */
  assertHeld(): void {
    this.#lease?.assertHeld();
  }

  redact(text: string): string {
    const clean = redact(text, this.#secrets, this.#key);
    return typeof clean === "string" ? clean : "[secret]";
  }

  async append(event: LedgerEvent): Promise<void> {
    await this.#journal?.append(event);
  }

  async started(
    run: { id: string; from: string; to: string },
    command: string,
    inputs: { before: Json; after: Json },
  ): Promise<void> {
    const clean = (value: Json) => redact(value, this.#secrets, this.#key);
    await this.append({
      type: "run-started",
      run: run.id,
      from: run.from,
      to: run.to,
      command,
      by: currentOwner().who,
      goal: { live: run.to },
      inputs: { before: clean(inputs.before), after: clean(inputs.after) },
    });
  }

  async phaseStarted(phase: GatedRow, step?: number): Promise<void> {
    await this.append({ type: "phase-started", phase, ...(step !== undefined && { step }) });
  }

  async planned({ row: phase, step }: Update, { digest, operations }: Plan): Promise<void> {
    await this.append({
      type: "plan",
      phase,
      ...(step !== undefined && { step }),
      digest,
      operations: operations.map(short),
    });
  }

  async applied(phase: GatedRow, { operations, seconds }: Applied): Promise<void> {
    await this.append({ type: "applied", phase, operations: operations.map(short), seconds });
  }

  /** What a gate came to, without secrets: what is recorded, printed and said in messages. */
  clean({ gate, evidence, ...result }: GateResult): GateResult & { readonly evidence: Json } {
    const plain = JSON.parse(JSON.stringify(evidence)) as Json;
    return { ...result, gate: this.redact(gate), evidence: redact(plain, this.#secrets, this.#key) };
  }

  async gate(phase: GatedRow, result: GateResult): Promise<void> {
    const { gate, verdict, evidence, seconds } = this.clean(result);
    await this.append({ type: "gate", phase, gate, verdict, evidence, seconds });
  }

  async phaseFinished(phase: GatedRow): Promise<void> {
    await this.append({ type: "phase-finished", phase });
  }

  async close(): Promise<void> {
    await this.#lease?.release();
    this.#client?.destroy();
  }
}

/** The stack's ledger, for reading and writing. */
export function ledgerOf(stack: string, region: string): LedgerTable & { readonly client: DynamoDBClient } {
  const client = new DynamoDBClient({ region, ...retries() });
  return { tableName: ledgerTableName(stack), client };
}

function short({ op, type, name }: Operation) {
  return { op, type, name };
}
