import assert from "node:assert/strict";
import type { GateContext } from "../../../automation/gates/context.ts";
import { gatesOf } from "../../../automation/runbook/gates.ts";
import type { Row } from "../../../automation/runbook/rows.ts";
import { configOf } from "../config.ts";

/** The patience of the row's gate over weights, after an update of a phase a while ago. */
function patienceIn(row: Row, secondsAgo: number): number | undefined {
  const { config } = configOf({ upgrade: { propagationSeconds: 60 } });
  const generation = (name: string) => ({ targetGroupArn: name, port: 8080, registered: true, frontends: [] });
  const after = {
    loadBalancer: { arn: "arn:lb", dnsName: "lb.example.com", port: 80, protocol: "http" },
    addresses: [],
    generations: { blue: generation("blue"), green: generation("green") },
  };
  const forwardAt = Date.now() - secondsAgo * 1000;
  const context = { config, from: "blue", to: "green", after, aws: {}, redact: String, forwardAt };
  return gatesOf(row, context as unknown as GateContext).first?.[0]?.patienceSeconds;
}

describe("weights everywhere, on the way back", () => {
  it("waits until what the way there changed is everywhere too", () => {
    // Five times `propagationSeconds`, and as long as two minutes of metrics take to be final.
    assert.ok((patienceIn("withdraw", 0) ?? 0) > 600);
    assert.equal(patienceIn("withdraw", 60), 600);
    assert.equal(patienceIn("observe", 0), 600);
  });
});
