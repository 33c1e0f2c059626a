import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Outputs } from "../../stacks/outputs.ts";
import type { Access } from "../cloud/access.ts";
import { clientSettings } from "../cloud/client-settings.ts";
import { notSeenIn } from "../cloud/not-seen.ts";
import type { Listener, RunEvent, RunResult } from "../documents/events.ts";
import { secondsSince } from "../elapsed.ts";
import { backendName } from "../engine/backend.ts";
import type { GateResult } from "../gates/gate.ts";
import type { Json, LedgerEvent } from "../ledger/events.ts";
import { type Journal, openJournal, readJournal } from "../ledger/journal.ts";
import { acquireLease, currentOwner, type Lease } from "../ledger/lease.ts";
import { digestKey, redact, redactText } from "../ledger/redact.ts";
import { readSiteRecord, type SiteRecord, writeSiteRecord } from "../ledger/site-record.ts";
import type { LedgerTable } from "../ledger/table.ts";
import { keptOf } from "./kept.ts";
import { checkState, neverRun } from "./state-check.ts";

export interface LeaseWish {
  /** As a person would type it. */
  readonly command: string;
  /** Seconds to wait for a lease that another run holds. Default: 0. */
  readonly waitSeconds?: number;
  /** Take the lease of a process that has died on this machine. Default: false. */
  readonly takeOver?: boolean;
  /** Seconds that the lease lasts without a heartbeat. Default: 60. */
  readonly leaseSeconds?: number;
}

/** A run's side of the ledger: its events, told to the screen and recorded without secrets, and the lease under which it works. */
export class RunLedger {
  readonly #journal: Journal | undefined;
  readonly #lease: Lease | undefined;
  readonly #table: LedgerTable | undefined;
  #site: SiteRecord | undefined;
  readonly #secrets: ReadonlySet<string>;
  readonly #listener: Listener;
  readonly #key = digestKey();
  /** Settles when the newest event that was noted is on record, or lost. */
  #newest: Promise<void> | undefined;
  #waitedSeconds = 0;
  #lostEvent: { readonly error: unknown } | undefined;

  constructor(
    secrets: ReadonlySet<string>,
    listener: Listener,
    held?: { journal?: Journal; lease?: Lease; table?: LedgerTable },
  ) {
    this.#secrets = secrets;
    this.#listener = listener;
    this.#journal = held?.journal;
    this.#lease = held?.lease;
    this.#table = held?.table;
  }

  /**
   * Takes the stack's lease and opens its journal.
   * @throws LeaseHeldError (exit 5), LedgerMissingError when the site is not deployed
   */
  static async open(
    place: Place,
    secrets: ReadonlySet<string>,
    wish: LeaseWish,
    signal: AbortSignal,
    listener: Listener = () => undefined,
  ): Promise<RunLedger> {
    const table = ledgerOf(place);
    let lease: Lease | undefined;
    try {
      lease = await acquireLease({
        ...table,
        ...wish,
        seconds: wish.leaseSeconds,
        owner: currentOwner(),
        signal,
      });
      const journal = await openJournal({ ...table, lease });
      return new RunLedger(secrets, listener, { lease, journal, table });
    } catch (error) {
      await lease?.release();
      table.client.destroy();
      throw error;
    }
  }

  /** The same lease for what is no run: nothing is written down. */
  unrecorded(): RunLedger {
    const ledger = new RunLedger(this.#secrets, this.#listener, { lease: this.#lease, table: this.#table });
    ledger.#site = this.#site;
    return ledger;
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
    return redactText(text, this.#secrets);
  }

  /** Records an event. @throws what kept it, or one that was noted before it, from being recorded */
  async append(event: LedgerEvent): Promise<void> {
    this.note(event);
    await this.written();
  }

  /** Records an event while the run goes on. Once one is lost, nothing more is recorded, and `written` throws. */
  note(event: LedgerEvent): void {
    if (this.#lostEvent !== undefined) return;
    this.#newest = this.#journal?.append(event).then(
      () => undefined,
      (error: unknown) => {
        this.#lostEvent ??= { error };
      },
    );
  }

  /**
   * The state that this run works on is the site's; from now on the site's record tells which it is.
   * @throws HandoverError (exit 1), see `checkState`
   */
  async claimState(stack: string, outputs: Outputs, { accepts = false } = {}): Promise<void> {
    const table = this.#table;
    if (table === undefined) return;
    const record = await readSiteRecord(table);
    const runs = async () => (await readJournal(table).runs()).map(({ run }) => run);
    if (!accepts) await checkState({ stack, outputs, record, runs });
    this.#site = record;
    await this.changed(outputs);
  }

  /** Writes down which run the state has seen, where that is another one than before. */
  async changed({ siteId: id, lastRun: run = neverRun }: Outputs): Promise<void> {
    if (this.#table === undefined || (this.#site?.run === run && this.#site.id === id)) return;
    this.assertHeld();
    this.#site = { id, run, backend: backendName() };
    await writeSiteRecord(this.#table, this.#site);
  }

  /** Seconds that the run has waited for its ledger so far. */
  get waitedSeconds(): number {
    return this.#waitedSeconds;
  }

  /** Waits until everything that was noted is on record: before anything is done that follows from it. */
  async written(): Promise<void> {
    const started = performance.now();
    await this.#newest;
    this.#waitedSeconds += secondsSince(started);
    if (this.#lostEvent !== undefined) throw this.#lostEvent.error;
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

  /** Tells an event to its two readers: the screen, and the ledger as far as it is kept. */
  tell(event: RunEvent): void {
    const kept = keptOf(event);
    if (kept !== undefined) this.note(kept);
    this.#listener(event);
  }

  /** Tells the end of the run, once it is on record. @throws as `append` */
  async conclude(result: RunResult): Promise<void> {
    const event = { type: "run-finished", ...result } as const;
    const kept = keptOf(event);
    // A person who must act is told so in any case, and so is one whose run waits for what the ledger needs too.
    const recorded = kept === undefined ? undefined : this.append(kept);
    const isTold = (error: unknown) =>
      result.outcome === "failed" || (result.outcome === "paused" && notSeenIn(error) !== undefined);
    await recorded?.catch((error) => {
      if (!isTold(error)) throw error;
    });
    this.#listener(event);
  }

  /** A gate's result without secrets: as it is recorded, printed and said in messages. */
  clean({ gate, evidence, ...result }: GateResult): GateResult & { readonly evidence: Json } {
    const plain = JSON.parse(JSON.stringify(evidence)) as Json;
    return { ...result, gate: this.redact(gate), evidence: redact(plain, this.#secrets, this.#key) };
  }

  /** Gives the lease back, once nothing is being written any more. */
  async close(): Promise<void> {
    await this.#newest;
    await this.#lease?.release();
    this.#table?.client.destroy();
  }
}

/** Where a site is: its name, and AWS. */
export interface Place {
  /** See `siteName`. */
  readonly site: string;
  readonly access: Access;
}

/** The site's ledger, for reading and writing. */
export function ledgerOf({ site, access }: Place): LedgerTable & { readonly client: DynamoDBClient } {
  const client = new DynamoDBClient(clientSettings(access, "dynamodb"));
  return { tableName: site, client };
}
