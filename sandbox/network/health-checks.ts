import { request } from "node:http";
import type { TargetGroupState } from "./state.ts";
import { type CheckOutcome, matches } from "./targets.ts";

export type HealthCheckSettings = TargetGroupState["healthCheck"];

/** Checks one target at once, and then at its interval, which the time to answer does not shift. */
export class HealthCheck {
  readonly #timer: NodeJS.Timeout;
  #stopped = false;

  /** @param onOutcome is not called any more after `stop`. */
  constructor(
    host: string,
    trafficPort: number,
    settings: HealthCheckSettings,
    onOutcome: (outcome: CheckOutcome) => void,
  ) {
    const port = settings.port === "traffic-port" ? trafficPort : Number(settings.port);
    const run = () =>
      check(host, port, settings, (outcome) => {
        if (!this.#stopped) onOutcome(outcome);
      });
    this.#timer = setInterval(run, settings.intervalSeconds * 1000);
    run();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }
}

/** One check over a connection of its own. @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html */
function check(
  host: string,
  port: number,
  settings: HealthCheckSettings,
  report: (outcome: CheckOutcome) => void,
): void {
  let outcome: CheckOutcome | undefined;
  const finish = (found: CheckOutcome) => {
    if (outcome !== undefined) return;
    outcome = found;
    clearTimeout(timer);
    attempt.destroy();
    report(found);
  };
  const timer = setTimeout(
    () => finish({ passed: false, reason: "Target.Timeout", description: "Request timed out" }),
    settings.timeoutSeconds * 1000,
  );
  const attempt = request({
    host,
    port,
    path: settings.path,
    agent: false,
    headers: { "user-agent": "ELB-HealthChecker/2.0" },
  });
  attempt.on("response", (response) => {
    const status = response.statusCode ?? 0;
    if (matches(settings.matcher, status)) return finish({ passed: true });
    const description = `Health checks failed with these codes: [${status}]`;
    finish({ passed: false, reason: "Target.ResponseCodeMismatch", description });
  });
  attempt.on("error", () =>
    finish({ passed: false, reason: "Target.FailedHealthChecks", description: "Health checks failed" }),
  );
  attempt.end();
}
