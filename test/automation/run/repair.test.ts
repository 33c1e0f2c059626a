import assert from "node:assert/strict";
import type { Deployment } from "../../../automation/engine/deployment.ts";
import { EngineDiedError } from "../../../automation/engine/engine-errors.ts";
import type { Plan } from "../../../automation/engine/plan.ts";
import { applyPlan } from "../../../automation/run/apply-plan.ts";
import type { Drive } from "../../../automation/run/drive.ts";

const type = "aws:lb/targetGroup:TargetGroup";
const forgotten = [{ urn: `urn::${type}::green`, type, custom: true, inputs: { name: "green-1" } }];
const died = new EngineDiedError("error reading from server: EOF", undefined, forgotten);

/** An engine whose provider dies in the middle of a plan, on a cloud that is reached or not. */
function dying({ reached = true } = {}) {
  const told: string[] = [];
  let imported: Deployment | undefined;
  const never = new AbortController().signal;
  const engine = {
    up: () => Promise.reject(died),
    unlock: async () => {},
    refresh: async () => {},
    state: {
      export: async () => imported ?? {},
      import: async (deployment: Deployment) => {
        imported = deployment;
      },
    },
  };
  const findCreated = async () => {
    if (!reached) throw new Error("no route to hunter2");
    return ["arn:green-1"];
  };
  const drive = {
    opened: { engine, aws: { findCreated } },
    ledger: {
      lost: never,
      redact: (text: string) => text.replaceAll("hunter2", "[secret]"),
      tell: (event: { message?: string }) => void told.push(event.message ?? ""),
    },
    options: { signals: { stop: never, cancel: never } },
  };
  const apply = () => applyPlan(drive as unknown as Drive, {} as Plan, never);
  return { apply, told, adopted: () => imported?.resources?.map(({ urn, id }) => [urn, id]) };
}

describe("a plan whose provider dies alone", () => {
  it("fails, and what the provider had been asked to create is in the stack then", async () => {
    const { apply, told, adopted } = dying();
    await assert.rejects(apply(), died);
    assert.deepEqual(adopted(), [[`urn::${type}::green`, "arn:green-1"]]);
    assert.match(told.join(), /arn:green-1 .* is adopted as green/);
  });

  it("says what may have been created when it could not be looked for, without secrets", async () => {
    const { apply, told } = dying({ reached: false });
    await assert.rejects(apply(), died);
    assert.match(told.join(), /^green may have been created, .* no route to \[secret\]\. .* handover:run/);
  });
});
