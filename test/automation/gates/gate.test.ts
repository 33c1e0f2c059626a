import assert from "node:assert/strict";
import { type Gate, hold, type Observation, watch } from "../../../automation/gates/gate.ts";

/** A gate that sees these observations one after the other, and the last one from then on. */
function scripted(
  name: string,
  observations: (Observation["verdict"] | Error)[],
  more: Partial<Gate> = {},
): Gate & { looks: number } {
  return {
    name,
    looks: 0,
    ...more,
    async observe() {
      const observation = observations[Math.min(this.looks++, observations.length - 1)] ?? "pending";
      if (observation instanceof Error) throw observation;
      return { verdict: observation, evidence: { look: this.looks } };
    },
  };
}

const signal = new AbortController().signal;
const verdicts = (results: { gate: string; verdict: string }[]) =>
  results.map(({ gate, verdict }) => `${gate}: ${verdict}`);

describe("holding gates", () => {
  it("looks again until each has passed", async () => {
    const results = await hold([scripted("a", ["pending", "pass"]), scripted("b", ["pass"])], { seconds: 5, signal });
    assert.deepEqual(verdicts(results), ["a: pass", "b: pass"]);
  });

  it("tells at each look what is waited for, what it saw and how long it may take yet, and when it is not any more", async () => {
    const told: unknown[] = [];
    await hold(
      [scripted("a", ["pending", "pass"]), scripted("b", ["pending", "pending", "pass"], { everySeconds: 0.01 })],
      {
        ...{ seconds: 3600, signal },
        onWait: ({ gate, evidence, leftSeconds }) => told.push([gate, evidence, Math.round(leftSeconds / 60)]),
        onSettled: (gate) => told.push(gate),
      },
    );
    assert.deepEqual(told, [["a", { look: 1 }, 60], ["b", { look: 1 }, 60], ["b", { look: 2 }, 60], "b", "a"]);
  });

  it("fails at once when one says so, and tells what the others had seen", async () => {
    const waiting = scripted("b", ["pending"]);
    const results = await hold([scripted("a", ["fail"]), waiting, scripted("c", ["pass"])], { seconds: 3600, signal });
    assert.deepEqual(verdicts(results), ["a: fail", "b: inconclusive", "c: pass"]);
    assert.deepEqual(results[1]?.evidence, { look: 1 });
  });

  it("calls evidence that never came together a failure when patience is over", async () => {
    assert.deepEqual(verdicts(await hold([scripted("a", ["pending"])], { seconds: 0, signal })), ["a: fail"]);
  });

  it("calls it inconclusive where the gate says so, and where nothing could be seen", async () => {
    const soft = scripted("soft", ["pending"], { whenOver: "inconclusive" });
    const blind = scripted("blind", [new Error("no route")]);
    assert.deepEqual(verdicts(await hold([soft], { seconds: 0, signal })), ["soft: inconclusive"]);
    const [result] = await hold([blind], { seconds: 0, signal });
    assert.deepEqual([result?.verdict, result?.evidence], ["inconclusive", { error: "no route" }]);
  });

  it("does not call a gate failed that was stopped by another's missing evidence, though its own patience is over too", async () => {
    const blind = scripted("blind", [new Error("no route")]);
    const cut: Gate = {
      name: "cut",
      observe: (stop) =>
        new Promise((resolve) => {
          stop.addEventListener("abort", () => resolve({ verdict: "pending", evidence: "cut off" }));
        }),
    };
    assert.deepEqual(verdicts(await hold([blind, cut], { seconds: 0, signal })), [
      "blind: inconclusive",
      "cut: inconclusive",
    ]);
  });

  it("gives a gate its own patience", async () => {
    const results = await hold([scripted("a", ["pending", "pending", "pass"], { patienceSeconds: 5 })], {
      seconds: 0,
      signal,
    });
    assert.deepEqual(verdicts(results), ["a: pass"]);
  });

  it("stops when the signal comes", async () => {
    const stop = new AbortController();
    const gate = scripted("a", ["pending"]);
    const held = hold([gate], { seconds: 3600, signal: stop.signal });
    stop.abort(new Error("stop"));
    await assert.rejects(held, /stop/);
  });
});

describe("watching gates", () => {
  /** One that is looked at as often as a gate can be. */
  const watched = (...[name, observations, more]: Parameters<typeof scripted>) =>
    scripted(name, observations, { everySeconds: 0, ...more });

  it("passes when they kept passing, with the number of observations", async () => {
    const [result] = await watch([watched("a", ["pass"])], 0.3, signal);
    assert.equal(result?.verdict, "pass");
  });

  it("forgives a single miss", async () => {
    const results = await watch([watched("a", ["pass", "pending", "pass"])], 0.2, signal);
    assert.deepEqual(verdicts(results), ["a: pass"]);
  });

  it("fails when one misses three times in a row, before the time is over", async () => {
    const gate = watched("a", ["pass", "pending"]);
    assert.deepEqual(verdicts(await watch([gate], 3600, signal)), ["a: fail"]);
    assert.equal(gate.looks, 4);
  });

  it("stops watching the others when one has failed", async () => {
    const results = await watch([watched("a", ["pending"]), watched("b", ["pass"])], 3600, signal);
    assert.deepEqual(verdicts(results), ["a: fail"]);
  });

  it("is inconclusive when nothing could be seen any more", async () => {
    assert.deepEqual(verdicts(await watch([watched("a", ["pass", new Error("no route")])], 3600, signal)), [
      "a: inconclusive",
    ]);
  });

  it("watches the others until one that collects evidence has passed", async () => {
    const collecting = watched("a", ["pending", "pending", "pass"], { patienceSeconds: 3600 });
    const results = await watch([collecting, watched("b", ["pass"])], 0, signal);
    assert.deepEqual(verdicts(results), ["a: pass", "b: pass"]);
    assert.equal(collecting.looks, 3);
  });

  it("fails at once when evidence says so, and by what the others miss meanwhile", async () => {
    const patient = { patienceSeconds: 3600 };
    const failing = watched("a", ["pending", "fail"], patient);
    assert.deepEqual(verdicts(await watch([failing], 3600, signal)), ["a: fail"]);
    assert.equal(failing.looks, 2);
    const pending = watched("a", ["pending"], patient);
    assert.deepEqual(verdicts(await watch([pending, watched("b", ["pending"])], 0, signal)), ["b: fail"]);
  });

  it("gives evidence its own time, and calls it what the gate says after that", async () => {
    const gate = watched("a", ["pending"], { patienceSeconds: 0, whenOver: "inconclusive" });
    assert.deepEqual(verdicts(await watch([gate], 3600, signal)), ["a: inconclusive"]);
    const blind = watched("a", [new Error("no route")], { patienceSeconds: 0 });
    assert.deepEqual(verdicts(await watch([blind], 3600, signal)), ["a: inconclusive"]);
  });
});
