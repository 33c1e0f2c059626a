import assert from "node:assert/strict";
import type { Drive } from "../../../automation/run/drive.ts";
import { readSuspensions } from "../../../automation/run/suspensions.ts";
import { types } from "../../../stacks/names.ts";
import type { Outputs } from "../../../stacks/outputs.ts";

const signal = new AbortController().signal;
const outputs = { generations: { blue: { array: { name: "blue-1" } }, green: {} } } as unknown as Outputs;

/** URNs that are read again, and warnings, where the state and AWS have these processes suspended. */
async function readWhere(inState: string[] | undefined, inAws: string[] | undefined | Error, of = outputs) {
  const read: string[] = [];
  const warnings: string[] = [];
  const array = { urn: "urn:array", type: types.autoScalingGroup, id: "blue-1" };
  const other = { ...array, urn: "urn:other", id: "red-1", outputs: { suspendedProcesses: ["Launch"] } };
  const drive = {
    opened: {
      engine: {
        state: { export: async () => ({ resources: [{ ...array, outputs: { suspendedProcesses: inState } }, other] }) },
        refresh: async (urns: string[]) => void read.push(...urns),
      },
      aws: {
        arrays: {
          find: async () => {
            if (inAws instanceof Error) throw inAws;
            return inAws && { suspendedProcesses: inAws };
          },
        },
      },
    },
    ledger: { lost: signal, redact: String, tell: ({ message }: { message: string }) => void warnings.push(message) },
    options: { signals: { stop: signal } },
  };
  await readSuspensions(drive as unknown as Drive, of);
  return { read, warnings };
}

describe("an array whose processes somebody suspended or resumed", () => {
  it("is read again before a run changes it", async () => {
    for (const [inState, inAws] of [
      [["AZRebalance"], []],
      [[], ["AZRebalance"]],
      [undefined, ["Launch"]],
    ] as const)
      assert.deepEqual((await readWhere(inState && [...inState], [...inAws])).read, ["urn:array"]);
  });

  it("is left alone where the state is right, or AWS does not have it", async () => {
    assert.deepEqual((await readWhere(["Launch", "AZRebalance"], ["AZRebalance", "Launch"])).read, []);
    assert.deepEqual((await readWhere(["Launch"], undefined)).read, []);
    assert.deepEqual((await readWhere(["Launch"], [], { generations: {} } as unknown as Outputs)).read, []);
  });

  it("is told where it could not be compared, and keeps nobody from going on", async () => {
    const { read, warnings } = await readWhere([], new Error("AccessDenied"));
    assert.deepEqual([read, warnings.length], [[], 1]);
    assert.match(warnings[0] ?? "", /could not be compared with the state: AccessDenied/);
  });
});
