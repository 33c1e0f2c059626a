import assert from "node:assert/strict";
import type { GateContext } from "../../../automation/gates/context.ts";
import { gatesBefore, gatesOf } from "../../../automation/runbook/gates.ts";
import type { Row } from "../../../automation/runbook/rows.ts";
import type { Outputs } from "../../../stacks/outputs.ts";
import { configOf } from "../config.ts";

type Array = Outputs["generations"][string]["array"];

function outputsOf(arrays: Readonly<Record<string, Array>>, registered = true): Outputs {
  const generation = (name: string) => ({
    targetGroupArn: `arn:${name}`,
    port: 8080,
    weight: 50,
    registered,
    frontends: [{ name: `${name}-1`, instanceId: `i-${name}`, privateIp: "10.20.0.4" }],
    ...(arrays[name] !== undefined && { array: arrays[name] }),
  });
  return {
    live: "blue",
    run: null,
    hostname: "www.example.com",
    testHostname: "test.example.com",
    loadBalancer: { arn: "arn:lb", dnsName: "lb.example.com", port: 80, protocol: "http" },
    addresses: [],
    generations: { blue: generation("blue"), green: generation("green") },
    snapshot: null,
    ledgerTable: "handover-test",
  } as Outputs;
}

/** The names of a row's gates, without those that a site without arrays has too. */
function arrayGates(
  row: Row,
  arrays: Readonly<Record<string, Array>>,
  gates = gatesOf,
  registered = true,
): readonly string[] {
  const names = (after: Outputs) => {
    const context = { config: configOf().config, from: "blue", to: "green", before: after, after };
    return gates(row, { ...context, aws: {}, manager: {}, redact: String } as unknown as GateContext).hold.map(
      ({ name }) => name,
    );
  };
  const usual = names(outputsOf({}, registered));
  return names(outputsOf(arrays, registered)).filter((name) => !usual.includes(name));
}

const of = (intent: NonNullable<Array>["intent"]) => ({ name: "a-1", intent, suspendedByOperator: ["AZRebalance"] });

describe("a row's gates, with arrays", () => {
  it("are that the old one is suspended, and then that the new one's servers pass what frontends do", () => {
    assert.deepEqual(arrayGates("suspend-array", { blue: of("recorded") }), []);
    assert.deepEqual(arrayGates("suspend-array", { blue: of("suspended") }), ["array's processes: blue"]);
    assert.deepEqual(arrayGates("suspend-array", { blue: of("suspended"), green: of("filling") }), [
      "array's processes: blue",
      "array in service: green",
      "instance status (array)",
      "smoke on each server (array)",
    ]);
  });

  it("are that the new one is enabled and serves, before the old servers leave too", () => {
    const arrays = { blue: of("suspended"), green: of("active") };
    assert.deepEqual(arrayGates("resume-array", arrays), ["array's processes: green", "array serves: green"]);
    assert.deepEqual(arrayGates("observe", arrays), ["array serves: green"]);
    assert.deepEqual(arrayGates("drain", arrays, gatesBefore), ["array serves: green"]);
  });

  it("are that an array's servers have drained, too", () => {
    assert.deepEqual(arrayGates("drain", { blue: of("suspended") }), ["draining over: blue (array)"]);
    assert.deepEqual(arrayGates("withdraw", { blue: of("active"), green: of("withdrawn") }, gatesOf, false), [
      "draining over: green (array)",
      "array serves: blue",
    ]);
    const stillIn = { blue: of("active"), green: of("withdrawn") };
    assert.deepEqual(arrayGates("withdraw", stillIn, gatesOf, true), ["array serves: blue"]);
  });
});
