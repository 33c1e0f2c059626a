import assert from "node:assert/strict";
import type { Question } from "../../../automation/cloud/http.ts";
import { hold } from "../../../automation/gates/gate.ts";
import { type Probed, Probes, type Timed } from "../../../automation/gates/probes.ts";
import { httpCheckOf } from "../../../stacks/config/checks.ts";
import { comparisonSchema, probeSchema } from "../../../stacks/config/watch-schema.ts";

const { signal } = new AbortController();
const place = (address: string) => ({
  name: address,
  question: { protocol: "http", address, port: 8080, host: "www.example.com" } as const,
});

interface Reply {
  readonly status?: number;
  readonly seconds?: number;
  readonly generation?: string;
  /** The error's code, instead of an answer. */
  readonly error?: string;
}

/** Two generations, with what is answered by address, path and number of the question. */
class Site {
  reply: (address: string, path: string, count: number) => Reply = () => ({});
  paths = ["/"];
  addresses: Probed["addresses"] = { next: [], old: [] };
  arrays: NonNullable<Probed["arrays"]> = async () => ({ next: [], old: [] });
  uncounted = true;
  readonly asked = new Map<string, number>();

  gate({ perSecond = 10 } = {}): Probes {
    const { slow, confidence, minRequests } = comparisonSchema.parse({});
    const probed: Probed = {
      next: "green",
      old: "blue",
      servers: { next: [place("green-1"), place("green-2")], old: [place("blue-1")] },
      balancer: { next: [place("test")], old: [{ ...place("www"), shared: true }] },
      addresses: this.addresses,
      arrays: (signal) => this.arrays(signal),
      uncounted: this.uncounted,
      checks: this.paths.map((path) => httpCheckOf({ path })),
    };
    const rules = { ...probeSchema.parse({ perSecond }), slow, confidence, minRequests };
    return new Probes(probed, rules, (question) => this.#ask(question));
  }

  async #ask({ address, path }: Question): Promise<Timed> {
    const count = (this.asked.get(address) ?? 0) + 1;
    this.asked.set(address, count);
    const { status = 200, seconds = 0.05, generation, error } = this.reply(address, path, count);
    if (error !== undefined) throw Object.assign(new Error(error), { code: error });
    return { status, seconds, body: "", headers: generation === undefined ? {} : { "x-generation": generation } };
  }
}

/** Looks until there is a verdict. */
async function settled(gate: Probes, most = 60) {
  for (let look = 1; ; look++) {
    const seen = await gate.observe(signal);
    if (seen.verdict !== "pending" || look === most) return { ...seen, looks: look };
  }
}
const isNew = (address: string) => address.startsWith("green") || address === "test" || address === "198.51.100.1";

describe("probes", () => {
  let site: Site;
  beforeEach(() => {
    site = new Site();
  });

  it("asks an array's servers too, whichever are in service, and the others where nobody knows these", async () => {
    const site = new Site();
    site.arrays = async () => ({ next: [place("green-array")], old: [place("blue-array")] });
    site.reply = (address) => ({ status: address === "green-array" ? 500 : 200 });
    assert.equal((await settled(site.gate())).verdict, "fail");
    assert.ok(site.asked.has("blue-array"));
    site.arrays = async () => Promise.reject(new Error("Throttling"));
    assert.equal((await settled(site.gate())).verdict, "pass");
  });

  it("pass when the new generation fails no more often, after a bounded number of requests", async () => {
    const { verdict, looks } = await settled(site.gate());
    assert.deepEqual([verdict, looks], ["pass", 6]);
    assert.deepEqual([site.asked.get("blue-1"), site.asked.get("green-1"), site.asked.get("green-2")], [60, 30, 30]);
  });

  for (const share of [0.2, 0.5, 1]) {
    it(`fail when it fails more often: ${share * 100} in 100`, async () => {
      site.reply = (address, _, count) => ({ status: isNew(address) && count % (1 / share) < 1 ? 500 : 200 });
      assert.equal((await settled(site.gate())).verdict, "fail");
    });
  }

  it("fail when one path of many does, and the others do not", async () => {
    site.paths = ["/", "/health", "/health/db", "/login", "/cart"];
    site.reply = (address, path) => ({ status: isNew(address) && path === "/cart" ? 503 : 200 });
    assert.equal((await settled(site.gate())).verdict, "fail");
  });

  for (const seconds of [1.2, 0.3]) {
    it(`fail when it is slower: ${seconds} s instead of 0.05`, async () => {
      site.reply = (address) => ({ seconds: isNew(address) ? seconds : 0.05 });
      assert.equal((await settled(site.gate())).verdict, "fail");
    });
  }

  it("pass when both are slow alike, and when the new one is a little slower", async () => {
    site.reply = () => ({ seconds: 1.2 });
    assert.equal((await settled(site.gate())).verdict, "pass");
    site.reply = (address) => ({ seconds: isNew(address) ? 0.1 : 0.05 });
    assert.equal((await settled(site.gate())).verdict, "pass");
  });

  it("pass when the driver's own machine is slow for a moment", async () => {
    let asked = 0;
    site.reply = () => ({ seconds: asked++ < 40 ? 2 : 0.05 });
    assert.equal((await settled(site.gate({ perSecond: 60 }))).verdict, "pass");
  });

  it("fail when nobody answers", async () => {
    site.reply = (address) => (isNew(address) ? { error: "ECONNREFUSED" } : {});
    assert.equal((await settled(site.gate())).verdict, "fail");
  });

  it("pass when both fail alike", async () => {
    site.reply = (_, __, count) => ({ status: count % 2 === 0 ? 500 : 200 });
    assert.equal((await settled(site.gate({ perSecond: 50 }))).verdict, "pass");
  });

  it("fail when an Elastic IP on a new server is not answered, though the server itself is", async () => {
    site.addresses = { next: [place("198.51.100.1")], old: [place("198.51.100.2")] };
    site.reply = (address) => (address === "198.51.100.1" ? { error: "ECONNRESET" } : {});
    assert.equal((await settled(site.gate())).verdict, "fail");
  });

  it("judge no generation by the answers of another", async () => {
    site.reply = (address) => (isNew(address) ? { status: 500, generation: "blue" } : { generation: "blue" });
    const { verdict, unproven } = await settled(site.gate(), 10);
    assert.deepEqual([verdict, unproven], ["pending", true]);
  });

  it("ask through the load balancer where the servers cannot be reached, and count whom an answer names", async () => {
    site.reply = (address, _, count) => {
      if (/^(blue|green)-/.test(address)) return { error: "EHOSTUNREACH" };
      return {
        generation: address === "www" && count % 2 === 0 ? "blue" : "green",
        status: address === "test" ? 500 : 200,
      };
    };
    assert.equal((await settled(site.gate())).verdict, "fail");
  });

  it("are no evidence where nothing can be reached: inconclusive, and they say so", async () => {
    site.reply = () => ({ error: "EHOSTUNREACH" });
    const gate = site.gate();
    const { verdict, evidence } = await gate.observe(signal);
    assert.equal(verdict, "pending");
    assert.match(JSON.stringify(evidence), /could be asked from here/);
    const once = { name: gate.name, patienceSeconds: 0, observe: () => gate.observe(signal) };
    const [result] = await hold([once], { seconds: 0, signal });
    assert.equal(result?.verdict, "inconclusive");
  });

  it("say that they have judged nothing where the load balancer counts all users, and hold nothing up", async () => {
    site.uncounted = false;
    site.reply = () => ({ error: "EHOSTUNREACH" });
    const { verdict, evidence } = await site.gate().observe(signal);
    assert.deepEqual([verdict, evidence], ["pass", { notJudged: "nothing of green could be asked from here" }]);
  });

  it("prove nothing against a new generation when nothing of the old one answers", async () => {
    site.reply = (address) => (isNew(address) ? { status: 500 } : { error: "EHOSTUNREACH" });
    const { verdict, unproven } = await settled(site.gate(), 10);
    assert.deepEqual([verdict, unproven], ["pending", true]);
  });

  it("begin anew after a pass, and find what becomes worse later", async () => {
    const gate = site.gate();
    assert.equal((await settled(gate)).verdict, "pass");
    site.reply = (address) => ({ status: isNew(address) ? 500 : 200 });
    const verdicts: string[] = [];
    for (let look = 0; look < 10; look++) verdicts.push((await gate.observe(signal)).verdict);
    assert.ok(verdicts.includes("fail"), verdicts.join());
  });
});
