import assert from "node:assert/strict";
import { type Means, WeightsEverywhere } from "../../../automation/gates/propagation.ts";

const { signal } = new AbortController();
const question = {
  name: "www-1.elb.amazonaws.com",
  protocol: "http",
  port: 80,
  host: "www.example.com",
  path: "/",
} as const;

const server = (address: string) =>
  ({ protocol: "http", address, port: 8080, host: "test.example.com", path: "/" }) as const;

/** A load balancer whose nodes answer from one generation or the other, and its metrics. */
class Balancer {
  /** Who answers on each node; undefined: the answers do not say. */
  readonly nodes = new Map<string, (() => string) | undefined>();
  /** Requests by period and generation. */
  readonly counted: { readonly blue: Map<number, number>; readonly green: Map<number, number> } = {
    blue: new Map(),
    green: new Map(),
  };
  now = 0;
  hasMetrics = true;
  /** The status of an answer that does not say whom it is from. */
  unsigned = 200;
  /** Whether the servers of each generation say who they are, when they are asked directly. */
  readonly servers = { "10.0.0.1": true, "10.0.0.2": true };

  gate(staleShare = 30, otherIsDown = false, notBefore = 0) {
    const weights = {
      notBefore,
      otherIsDown,
      question,
      servers: [server("10.0.0.1"), server("10.0.0.2")],
      without: "blue",
      targetGroupArns: ["arn:blue", "arn:green"],
      staleShare,
      propagationSeconds: 60,
      periodSeconds: 60,
    } as const;
    const means: Means = {
      addressesOf: async () => [...this.nodes.keys()],
      clock: () => this.now,
      metrics: {
        requests: async (_arns, { start, end }) => {
          if (!this.hasMetrics) throw new Error("AccessDenied");
          const asked = (all: Map<number, number>) => new Map([...all].filter(([time]) => time >= start && time < end));
          return [asked(this.counted.blue), asked(this.counted.green)];
        },
      },
      ask: async ({ address }) => {
        const tells = Object.entries(this.servers).some(([each, says]) => each === address && says);
        const generation = tells ? "me" : this.nodes.get(address)?.();
        return {
          status: generation === undefined ? this.unsigned : 200,
          body: "",
          headers: generation === undefined ? {} : { "x-generation": generation },
        };
      },
    };
    return new WeightsEverywhere(weights, means);
  }
}

/** The verdict after each of some looks. */
async function verdicts(gate: WeightsEverywhere, looks: number): Promise<string[]> {
  const seen: string[] = [];
  for (let look = 0; look < looks; look++) seen.push((await gate.observe(signal)).verdict);
  return seen;
}

describe("weights everywhere", () => {
  let balancer: Balancer;
  beforeEach(() => {
    balancer = new Balancer();
    for (const node of ["192.0.2.1", "192.0.2.2", "192.0.2.3"]) balancer.nodes.set(node, () => "green");
  });

  it("passes when every node has answered often enough from the other generation alone", async () => {
    assert.deepEqual(await verdicts(balancer.gate(), 2), ["pending", "pass"]);
  });

  it("asks the more often, the smaller the share that a node which is late still gives away", async () => {
    assert.equal((await verdicts(balancer.gate(10), 20)).indexOf("pass"), 6);
  });

  it("is pending while one node is late, says which, and begins to count anew when it has learned", async () => {
    balancer.nodes.set("192.0.2.2", () => "blue");
    const gate = balancer.gate();
    const { verdict, evidence } = await gate.observe(signal);
    assert.equal(verdict, "pending");
    assert.ok(JSON.stringify(evidence).includes("192.0.2.2"));
    assert.deepEqual(await verdicts(gate, 5), Array(5).fill("pending"));
    balancer.nodes.set("192.0.2.2", () => "green");
    assert.deepEqual(await verdicts(gate, 2), ["pending", "pass"]);
  });

  it("looks at the nodes that the name has now", async () => {
    const gate = balancer.gate();
    await gate.observe(signal);
    balancer.nodes.set("192.0.2.4", () => "blue");
    assert.deepEqual(await verdicts(gate, 2), ["pending", "pending"]);
    balancer.nodes.delete("192.0.2.4");
    assert.deepEqual(await verdicts(gate, 1), ["pass"]);
  });

  it("takes an answer that says nothing for one of the generation whose servers never say", async () => {
    balancer.servers["10.0.0.2"] = false;
    for (const node of balancer.nodes.keys()) balancer.nodes.set(node, undefined);
    assert.deepEqual(await verdicts(balancer.gate(), 2), ["pending", "pass"]);
    Object.assign(balancer.servers, { "10.0.0.1": false, "10.0.0.2": true });
    assert.deepEqual(await verdicts(balancer.gate(), 3), ["pending", "pending", "pending"]);
  });

  it("takes the load balancer's own error for nobody's, unless the other generation was down before the run", async () => {
    balancer.servers["10.0.0.2"] = false;
    balancer.unsigned = 502;
    for (const node of balancer.nodes.keys()) balancer.nodes.set(node, undefined);
    assert.deepEqual(await verdicts(balancer.gate(), 3), ["pending", "pending", "pending"]);
    assert.deepEqual(await verdicts(balancer.gate(30, true), 2), ["pending", "pass"]);
    balancer.nodes.set("192.0.2.2", () => "blue");
    assert.deepEqual(await verdicts(balancer.gate(30, true), 3), ["pending", "pending", "pending"]);
  });

  it("counts nothing before an earlier change is everywhere: a node that learned of neither looks as if of both", async () => {
    const gate = balancer.gate(30, false, 45_000);
    assert.equal(gate.patienceSeconds, 645);
    balancer.now = 44_000;
    const early = { verdict: "pending", evidence: { waitsForEarlierChangeSeconds: 1 } };
    assert.deepEqual([await gate.observe(signal), await gate.observe(signal)], [early, early]);
    balancer.now = 45_000;
    assert.deepEqual(await verdicts(gate, 2), ["pending", "pass"]);
  });

  it("is inconclusive, not a failure, when time is over", () => {
    const { whenOver, patienceSeconds } = balancer.gate();
    assert.deepEqual([whenOver, patienceSeconds], ["inconclusive", 600]);
  });

  describe("where answers do not say who gave them", () => {
    beforeEach(() => {
      Object.assign(balancer.servers, { "10.0.0.1": false, "10.0.0.2": false });
      for (const node of balancer.nodes.keys()) balancer.nodes.set(node, undefined);
    });

    const minute = (number: number, blue: number, green: number) => {
      if (blue > 0) balancer.counted.blue.set(number * 60_000, blue);
      if (green > 0) balancer.counted.green.set(number * 60_000, green);
      // Two minutes later it is final.
      balancer.now = (number + 3) * 60_000;
    };

    it("passes when the other target group alone was counted in two whole periods", async () => {
      const gate = balancer.gate();
      minute(1, 7, 90);
      minute(2, 0, 100);
      assert.deepEqual(await verdicts(gate, 1), ["pending"]);
      minute(3, 0, 100);
      assert.deepEqual(await verdicts(gate, 1), ["pass"]);
    });

    it("waits for counts that can be had longer than it would wait blindly: whole minutes come late", async () => {
      const gate = balancer.gate();
      assert.ok(gate.patienceSeconds > 300);
      balancer.now = 239_000;
      assert.deepEqual(await gate.observe(signal), {
        verdict: "pending",
        evidence: { silentPeriods: 0, periodSeconds: 60, requests: 0, needed: 66 },
      });
      minute(1, 0, 100);
      minute(2, 0, 100);
      assert.deepEqual(await verdicts(gate, 1), ["pass"]);
    });

    it("takes no minute for evidence that may still be revised", async () => {
      const gate = balancer.gate();
      minute(1, 0, 100);
      minute(2, 0, 100);
      for (const early of [1, 60_000]) {
        balancer.now = 5 * 60_000 - early;
        assert.deepEqual(await verdicts(gate, 1), ["pending"]);
      }
      balancer.now = 5 * 60_000;
      assert.deepEqual(await verdicts(gate, 1), ["pass"]);
    });

    it("waits for as many requests as one late node would not miss by chance, or blindly, and says so", async () => {
      const gate = balancer.gate();
      minute(1, 0, 30);
      minute(2, 0, 30);
      const needed = Math.ceil(Math.log(0.001) / Math.log(1 - 0.3 / 3));
      const evidence = { silentPeriods: 2, periodSeconds: 60, requests: 60, needed };
      assert.deepEqual(await gate.observe(signal), {
        verdict: "pass",
        evidence: {
          ...evidence,
          waitedBlindlySeconds: 300,
          notJudged: "answers do not say who gave them, and too few requests were counted; 300 s were waited blindly",
        },
      });
      minute(3, 0, 5);
      balancer.now = 299_999 + 60_000;
      assert.equal((await balancer.gate().observe(signal)).verdict, "pending");
    });

    it("never passes for the time alone while the generation is seen to get requests", async () => {
      const gate = balancer.gate();
      for (const number of [1, 2, 3, 4, 5]) minute(number, 3, 100);
      assert.deepEqual(await verdicts(gate, 3), Array(3).fill("pending"));
    });

    it("waits blindly for a stated time where nothing is counted either, and says so", async () => {
      balancer.hasMetrics = false;
      const gate = balancer.gate();
      balancer.now = 119_000;
      assert.deepEqual(await verdicts(gate, 1), ["pending"]);
      balancer.now = 120_000;
      assert.deepEqual(await gate.observe(signal), {
        verdict: "pass",
        evidence: {
          waitedBlindlySeconds: 120,
          notJudged: "answers do not say who gave them, and requests cannot be counted; 120 s were waited blindly",
        },
      });
    });
  });
});
