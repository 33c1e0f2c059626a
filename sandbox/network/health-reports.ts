import { request } from "undici";
import { type Log, messageOf } from "./log.ts";
import type { TargetHealthReport } from "./state.ts";

const retryMilliseconds = 250;

/**
 * Tells the cloud what the health checks found, in batches, at most one call at a time. What the cloud did not accept is
 * sent again, unless a newer report for the same target has replaced it.
 */
export class HealthReports {
  readonly #url: string;
  readonly #signal: AbortSignal;
  readonly #log: Log;
  #pending = new Map<string, TargetHealthReport>();
  #sending = false;

  constructor(cloudUrl: string, signal: AbortSignal, log: Log) {
    this.#url = new URL("/sandbox/target-health", cloudUrl).href;
    this.#signal = signal;
    this.#log = log;
  }

  add(report: TargetHealthReport): void {
    this.#pending.set(keyOf(report), report);
    this.#schedule(0);
  }

  #schedule(milliseconds: number): void {
    if (this.#sending || this.#signal.aborted) return;
    this.#sending = true;
    setTimeout(() => void this.#send(), milliseconds);
  }

  async #send(): Promise<void> {
    const batch = this.#pending;
    this.#pending = new Map();
    let accepted = false;
    try {
      const body = JSON.stringify([...batch.values()]);
      const headers = { "content-type": "application/json" };
      const answer = await request(this.#url, { method: "POST", headers, body, signal: this.#signal });
      await answer.body.dump();
      if (answer.statusCode >= 300) throw new Error(`HTTP ${answer.statusCode}`);
      accepted = true;
    } catch (error) {
      if (!this.#signal.aborted) this.#log(`the cloud did not take a health report: ${messageOf(error)}`);
      this.#pending = new Map([...batch, ...this.#pending]);
    }
    this.#sending = false;
    if (this.#pending.size > 0) this.#schedule(accepted ? 0 : retryMilliseconds);
  }
}

function keyOf(report: TargetHealthReport): string {
  return `${report.targetGroupArn} ${report.instanceId}:${report.port}`;
}
