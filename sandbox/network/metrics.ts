import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { type Log, messageOf } from "./log.ts";
import type { TargetGroupMetrics } from "./state.ts";

/** A target's answer: its status and the time until it began; neither where the load balancer answered for it. */
export interface Answer {
  readonly status?: number;
  readonly seconds?: number;
}

interface Counts {
  readonly node: string;
  readonly targetGroupArn: string;
  requests: number;
  errors: number;
  clientErrors: number;
  /** Number of answers by milliseconds. */
  readonly times: Map<number, number>;
}

const none = { errors: 0, clientErrors: 0 };

/** Measures each target group on each node, and tells the cloud every second; that makes minutes of it. */
export class BalancerMetrics {
  #counts = new Map<string, Counts>();

  add(node: string, targetGroupArn: string, { status, seconds }: Answer): void {
    const key = `${node} ${targetGroupArn}`;
    const counts = this.#counts.get(key) ?? { node, targetGroupArn, requests: 0, ...none, times: new Map() };
    this.#counts.set(key, counts);
    counts.requests++;
    if (status !== undefined && status >= 500) counts.errors++;
    else if (status !== undefined && status >= 400) counts.clientErrors++;
    if (seconds === undefined) return;
    const milliseconds = Math.round(seconds * 1000);
    counts.times.set(milliseconds, (counts.times.get(milliseconds) ?? 0) + 1);
  }

  /** Counts since the last call. */
  take(): Omit<TargetGroupMetrics, "timestamp">[] {
    const taken = this.#counts;
    this.#counts = new Map();
    return [...taken.values()].map(({ times, ...counts }) => ({
      ...counts,
      seconds: [...times.keys()].map((milliseconds) => milliseconds / 1000),
      counts: [...times.values()],
    }));
  }

  /** Publishes until the signal is aborted. What a cloud that is away does not take is lost, as a metric may be. */
  async publish(cloudUrl: string, signal: AbortSignal, log: Log): Promise<void> {
    const url = new URL("/sandbox/metrics", cloudUrl).href;
    const headers = { "content-type": "application/json" };
    while (!signal.aborted) {
      const timestamp = Date.now();
      // At the turn of the second, so that a second's counts are whole.
      await sleep(1000 - (timestamp % 1000), undefined, { signal }).catch(() => {});
      const taken = this.take().map((metrics) => ({ ...metrics, timestamp: timestamp / 1000 }));
      if (taken.length === 0) continue;
      try {
        const answer = await request(url, { method: "POST", headers, body: JSON.stringify(taken), signal });
        await answer.body.dump();
      } catch (error) {
        if (!signal.aborted) log(`the cloud did not take the load balancer's metrics: ${messageOf(error)}`);
      }
    }
  }
}
