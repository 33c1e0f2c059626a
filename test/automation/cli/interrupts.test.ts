import assert from "node:assert/strict";
import { explainInterrupt } from "../../../automation/cli/interrupts.ts";
import { HandoverError } from "../../../automation/errors.ts";
import { LeaseLostError } from "../../../automation/ledger/errors.ts";

describe("Ctrl-C before the first operation", () => {
  const never = new AbortController().signal;
  const stop = AbortSignal.abort("SIGINT");
  const signals = { stop, cancel: never };
  const aborted = Object.assign(new Error("Request aborted"), { name: "AbortError" });

  const interrupts: readonly [string, unknown, Parameters<typeof explainInterrupt>[1]][] = [
    ["the wait for the lease", stop.reason, signals],
    ["a request to AWS", aborted, signals],
    ["the engine, cancelled by the second signal", "SIGTERM", { stop, cancel: AbortSignal.abort("SIGTERM") }],
  ];
  for (const [what, error, given] of interrupts) {
    it(`is told as what ended ${what}, with exit code 130`, () => {
      const told = explainInterrupt(error, given);
      assert.ok(told instanceof HandoverError);
      assert.deepEqual([told.code, told.exitCode], ["interrupted", 130]);
      assert.match(told.message, /^Interrupted by SIGINT\. .*Type the same command again/);
    });
  }

  const others: readonly [string, unknown, Parameters<typeof explainInterrupt>[1]][] = [
    ["a lost lease", new LeaseLostError("it was released"), signals],
    ["a bug", new TypeError("undefined is not a function"), signals],
    ["a request that timed out by itself", aborted, { stop: never, cancel: never }],
    ["nothing at all", undefined, { stop: never, cancel: never }],
  ];
  for (const [what, error, given] of others) {
    it(`does not hide ${what}`, () => assert.equal(explainInterrupt(error, given), error));
  }
});
