import assert from "node:assert/strict";
import type { Aws } from "../../../automation/cloud/aws.ts";
import { targetsDrained } from "../../../automation/gates/targets.ts";

const { signal } = new AbortController();
const server = { name: "blue-1", instanceId: "i-1", privateIp: "10.0.0.1" };

describe("a server has drained", () => {
  /** The verdicts of looks at which the load balancer shows a state, or nothing. */
  async function verdicts(states: readonly (string | undefined)[], absentSeconds: number): Promise<string[]> {
    const left = [...states];
    const targetHealth = async () => {
      const State = left.shift();
      return new Map(State === undefined ? [] : [["i-1", { TargetHealth: { State } }]]);
    };
    const aws = { targetHealth, absentSeconds } as unknown as Aws;
    const gate = targetsDrained(aws, "blue", [{ targetGroupArn: "arn" }], [server], 1);
    const seen: string[] = [];
    for (const _ of states) seen.push((await gate.observe(signal)).verdict);
    return seen;
  }

  it("when it is no longer shown that was shown before", async () => {
    assert.deepEqual(await verdicts(["healthy", "draining", undefined], 3600), ["pending", "pending", "pass"]);
  });

  it("only when it is not shown for a while that was never shown: it may not be known yet", async () => {
    assert.deepEqual(await verdicts([undefined, undefined], 3600), ["pending", "pending"]);
    assert.deepEqual(await verdicts([undefined], 0), ["pass"]);
  });
});
