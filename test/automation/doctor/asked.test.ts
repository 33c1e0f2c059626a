import assert from "node:assert/strict";
import type { Answer } from "../../../automation/cloud/http.ts";
import { checkAsked } from "../../../automation/doctor/asked.ts";
import type { LastOutputs } from "../../../stacks/outputs.ts";
import { configOf } from "../config.ts";

const last = {
  outputs: {
    live: "blue",
    hostname: "www.example.com",
    loadBalancer: { arn: "arn", dnsName: "lb.example.com", port: 443, protocol: "https" },
  },
} as unknown as LastOutputs;

async function findings(probe: object, answer: (path: string) => number): Promise<string[]> {
  const { config } = configOf({ upgrade: { probe } });
  const ask = async ({ host, path }: { host: string; path: string }): Promise<Answer> => {
    assert.equal(host, "www.example.com");
    return { status: answer(path), headers: {}, body: "" };
  };
  const found = await checkAsked(config, last, ask);
  return found.map(({ check, result, message }) => `${check}: ${result}: ${message}`);
}

describe("doctor, on the pages by which a run compares generations", () => {
  it("asks for each once, and names one that fails already", async () => {
    const found = await findings({ paths: ["/", "/search"] }, (path) => (path === "/" ? 302 : 404));
    assert.equal(found[0], "probe /: ok: blue answers 302");
    assert.match(found[1] ?? "", /^probe \/search: problem: blue answers 404 already.*handover:upgrade\.probe\.paths/);
  });

  it("does not take a site that it cannot reach for one that fails", async () => {
    const found = await findings({ paths: ["/"] }, () => {
      throw new Error("no route to lb.example.com");
    });
    assert.match(found.join(), /^probe \/: skipped: no route to lb\.example\.com; /);
  });

  it("asks for nothing where nothing is probed or deployed", async () => {
    assert.deepEqual(await findings({ enabled: false }, () => 500), []);
    const { config } = configOf({});
    assert.deepEqual(await checkAsked(config, undefined), []);
  });
});
