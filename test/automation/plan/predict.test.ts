import assert from "node:assert/strict";
import type { Copy } from "../../../automation/plan/copy.ts";
import { predict } from "../../../automation/plan/predict.ts";
import type { Outputs } from "../../../stacks/outputs.ts";
import { configOf } from "../config.ts";

describe("a prediction", () => {
  it("has no secret in the names of gates, which say the suite's command", async () => {
    const command = ["node", "suite.ts", "--token=hunter2", "--url=http://u:hunter%32@db"];
    const site = configOf({ upgrade: { smoke: [{ command }] } });
    const generation = { targetGroupArn: "arn", port: 8080, weight: 50, registered: true, frontends: [] };
    const outputs = {
      live: "blue",
      hostname: "www.example.com",
      testHostname: "test.example.com",
      loadBalancer: { arn: "arn:lb", dnsName: "lb.example.com", port: 80, protocol: "http" },
      addresses: [],
      generations: { blue: generation, green: generation },
    } as unknown as Outputs;
    const copy = {
      opened: { ...site, secrets: new Set(["hunter2"]), last: { outputs }, aws: {}, manager: {} },
      engine: { upTo: async () => ({ operations: [], outputs }) },
    } as unknown as Copy;
    const identity = { id: "r", from: "blue", to: "green" };
    const {
      prediction: { phases },
    } = await predict(copy, { identity, behind: [], rows: ["launch-first"] }, AbortSignal.abort());
    const gates = phases.flatMap((phase) => phase.gates).filter((gate) => gate.startsWith("smoke command"));
    assert.deepEqual(gates, ["smoke command node suite.ts --token=[secret] --url=http://u:[secret]@db"]);
  });
});
