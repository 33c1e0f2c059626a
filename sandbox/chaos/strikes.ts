import { setTimeout as sleep } from "node:timers/promises";
import type { RunEvent } from "../../automation/documents/events.ts";
import { exitCodes } from "../../automation/errors.ts";
import type { Sandbox } from "../sandbox.ts";
import { childOf, DriverProcess, problemOf } from "./driver-process.ts";
import { type Kill, nameOf } from "./points.ts";

/** Resumes in a row that got no further: what a person would put up with. */
const patience = 3;

/** Exit codes after a kill: killed itself, paused, or stopped by what another left. No kill rolls a run back. */
const exitCodesOfKills: readonly (number | null)[] = [null, exitCodes.paused, exitCodes.busy];

export interface ChaosRow {
  readonly point: string;
  readonly problems: readonly string[];
  /** From the kill to the end of the phase that was under way; on a bad day the whole upgrade. */
  readonly seconds: number;
}

interface Strike {
  readonly kill: Kill;
  /** Time of the kill. */
  at?: number;
  /** End of the phase that was under way then. */
  finished?: number;
}

/** Kills in the course of one upgrade, in the order of its phases. */
export class Strikes {
  readonly #sandbox: Sandbox;
  readonly #strikes: readonly Strike[];
  readonly #left: Strike[];
  readonly #random: () => number;
  #driver: DriverProcess | undefined;

  constructor(sandbox: Sandbox, kills: readonly Kill[], random: () => number) {
    this.#sandbox = sandbox;
    this.#strikes = kills.map((kill) => ({ kill }));
    this.#left = [...this.#strikes];
    this.#random = random;
  }

  /** Upgrades the stack, and resumes like a person or a CI job whenever a kill ended the driver. */
  async upgrade(): Promise<readonly ChaosRow[]> {
    const problems: string[] = [];
    for (let command = "upgrade", idle = 0; ; command = "resume") {
      const before = this.#left.length;
      const takeOver = command === "resume" ? ["--take-over"] : [];
      this.#driver = new DriverProcess([command, "--stack", this.#sandbox.name, ...takeOver], (event) =>
        this.#see(event),
      );
      const ended = await this.#driver.ended();
      if (ended.exitCode === 0) break;
      idle = this.#left.length < before ? 0 : idle + 1;
      if (idle > patience || !exitCodesOfKills.includes(ended.exitCode)) {
        problems.push(problemOf(ended));
        break;
      }
    }
    return this.#strikes.map(({ kill, at, finished }) => {
      if (at === undefined) return { point: nameOf(kill), problems: [...problems, "nobody was killed"], seconds: 0 };
      const unfinished = finished === undefined ? [...problems, "the phase did not end"] : [];
      return { point: nameOf(kill), problems: unfinished, seconds: ((finished ?? performance.now()) - at) / 1000 };
    });
  }

  #see(event: RunEvent): void {
    if (event.type === "phase-finished") {
      for (const strike of this.#strikes) if (strike.at !== undefined) strike.finished ??= performance.now();
    }
    const [next] = this.#left;
    if (next === undefined || !isMoment(next.kill, event)) return;
    this.#left.shift();
    void this.#strike(next);
  }

  async #strike(strike: Strike): Promise<void> {
    const { moment, victim } = strike.kill;
    const { withinMilliseconds = victim === "engine" ? 300 : 600 } = strike.kill;
    const delayMilliseconds = this.#random() * withinMilliseconds;
    const driver = this.#driver;
    if (driver === undefined) return;
    const victims = {
      driver: () => (driver.running ? driver.pid : undefined),
      engine: () => driver.enginePid,
      provider: () => childOf(this.#sandbox.processes.provider ?? 0),
    };
    const inUpdate = moment === "during" || (moment === "after" && victim !== "driver");
    let pid = inUpdate ? undefined : victims[victim]();
    // An engine may be done before the delay is over; then it is the next one's turn, sooner.
    for (let delay = delayMilliseconds; inUpdate && pid === undefined && driver.running; delay /= 2) {
      await engineStarts(driver);
      await sleep(delay);
      pid = victims[victim]();
    }
    if (pid === undefined) return;
    strike.at = performance.now();
    process.kill(pid, "SIGKILL");
  }
}

function isMoment({ phase, step, moment }: Kill, event: RunEvent): boolean {
  if (event.type !== (moment === "after" ? "applied" : "plan") || event.phase !== phase) return false;
  return step === undefined || event.step === step;
}

/** An engine works for the driver: none does when a plan was told, and none when it was applied. */
async function engineStarts(driver: DriverProcess): Promise<void> {
  while (driver.enginePid === undefined && driver.running) await sleep(5);
}
