import type { RunEvent } from "../documents/events.ts";
import { secondsSince } from "../elapsed.ts";
import type { GateResult } from "../gates/gate.ts";
import type { LedgerEvent, Purpose } from "../ledger/events.ts";
import { currentOwner } from "../ledger/lease.ts";
import type { Row } from "../runbook/rows.ts";
import { applyEvent, type CommandStates } from "./command-states.ts";
import { OutputRecord } from "./output-record.ts";
import { type CommandObservation, runCommand } from "./run-site-command.ts";

/** Number of a failed command's last lines that are part of the evidence. */
const lastLines = 20;

export interface SiteCommand {
  readonly purpose: Purpose;
  readonly command: readonly string[];
  readonly timeoutSeconds?: number;
}

/** The part of a run's ledger that commands need. */
export interface RunRecord {
  tell(event: RunEvent): void;
  note(event: LedgerEvent): void;
  append(event: LedgerEvent): Promise<void>;
  redact(text: string): string;
}

export interface SiteCommandsOptions {
  /** Added to the driver's own. */
  readonly environment: Readonly<Record<string, string>>;
  readonly ledger: RunRecord;
  /** The ends of the run's commands so far. */
  readonly states: CommandStates;
}

/** The commands of the site's operators in a run: on record before and after, and what they print as it comes. */
export class SiteCommands {
  readonly #options: SiteCommandsOptions;
  #states: CommandStates;

  constructor(options: SiteCommandsOptions) {
    this.#options = options;
    this.#states = options.states;
  }

  get states(): CommandStates {
    return this.#states;
  }

  /** @returns what it came to, as a gate's result */
  async run(phase: Row, command: SiteCommand, signal: AbortSignal): Promise<GateResult> {
    const started = performance.now();
    const { environment, ledger } = this.#options;
    const { purpose } = command;
    const clean = command.command.map((part) => ledger.redact(part));
    await this.#record({ type: "command-started", phase, purpose, command: clean });
    const record = new OutputRecord(({ output, omitted }) =>
      ledger.note({ type: "command-output", phase, purpose, output, ...(omitted > 0 && { omitted }) }),
    );
    const last: string[] = [];
    const onLine = (line: string) => {
      const cleanLine = ledger.redact(line);
      ledger.tell({ type: "output", phase, line: cleanLine });
      record.add(cleanLine);
      last.push(cleanLine);
      if (last.length > lastLines) last.shift();
    };
    const observation = await runCommand(command.command, environment, onLine, signal, command.timeoutSeconds);
    const seconds = secondsSince(started);
    record.close();
    await this.#record({ type: "command-finished", phase, purpose, exitCode: observation.exitCode ?? null, seconds });
    return { gate: `command ${clean[0]}`, seconds, ...this.#judged(observation, last) };
  }

  /** A person says that a command which was cut off is complete. */
  async settle(phase: Row, purpose: Purpose): Promise<void> {
    const by = currentOwner().who;
    await this.#record({ type: "command-finished", phase, purpose, exitCode: 0, seconds: 0, by });
  }

  #judged({ verdict, evidence }: CommandObservation, output: readonly string[]) {
    if (verdict === "pass") return { verdict, evidence };
    const reason = this.#options.ledger.redact(evidence.reason ?? "");
    return { verdict: "fail", evidence: { ...evidence, reason, output } } as const;
  }

  /** Records an event; a thaw goes on even where it cannot be written down. */
  async #record(event: Extract<LedgerEvent, { purpose: Purpose }>): Promise<void> {
    this.#states = applyEvent(this.#states, event);
    const recorded = this.#options.ledger.append(event);
    await (event.purpose === "thaw" ? recorded.catch(() => undefined) : recorded);
  }
}
