import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import type { TargetGroupState } from "./state.ts";
import { type CheckOutcome, matches } from "./targets.ts";

export type HealthCheckSettings = TargetGroupState["healthCheck"];

/** Checks one target at once, and then at its interval, which the time to answer does not shift. */
export class HealthCheck {
  readonly #url: string;
  readonly #settings: HealthCheckSettings;
  readonly #onOutcome: (outcome: CheckOutcome) => void;
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout;

  /** @param onOutcome is not called any more after `stop`. */
  constructor(
    host: string,
    trafficPort: number,
    settings: HealthCheckSettings,
    onOutcome: (outcome: CheckOutcome) => void,
  ) {
    const port = settings.port === "traffic-port" ? trafficPort : settings.port;
    this.#url = `http://${host}:${port}${settings.path}`;
    this.#settings = settings;
    this.#onOutcome = onOutcome;
    this.#timer = setInterval(() => void this.#run(), settings.intervalSeconds * 1000);
    void this.#run();
  }

  stop(): void {
    this.#stop.abort();
    clearInterval(this.#timer);
  }

  async #run(): Promise<void> {
    const outcome = await check(this.#url, this.#settings, this.#stop.signal);
    if (!this.#stop.signal.aborted) this.#onOutcome(outcome);
  }
}

const failures = {
  timeout: { passed: false, reason: "Target.Timeout", description: "Request timed out" },
  connection: { passed: false, reason: "Target.FailedHealthChecks", description: "Health checks failed" },
} as const satisfies Record<string, CheckOutcome>;

/** One check over a connection of its own. @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html */
async function check(url: string, settings: HealthCheckSettings, stop: AbortSignal): Promise<CheckOutcome> {
  const timeout = AbortSignal.timeout(settings.timeoutSeconds * 1000);
  const signal = AbortSignal.any([timeout, stop]);
  try {
    const attempt = request(url, { agent: false, signal, headers: { "user-agent": "ELB-HealthChecker/2.0" } });
    attempt.on("error", () => {});
    attempt.end();
    const [response] = (await once(attempt, "response")) as [IncomingMessage];
    attempt.destroy();
    const status = response.statusCode ?? 0;
    if (matches(settings.matcher, status)) return { passed: true };
    const description = `Health checks failed with these codes: [${status}]`;
    return { passed: false, reason: "Target.ResponseCodeMismatch", description };
  } catch {
    return timeout.aborted ? failures.timeout : failures.connection;
  }
}
