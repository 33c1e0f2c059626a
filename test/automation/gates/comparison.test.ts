import assert from "node:assert/strict";
import { Comparison } from "../../../automation/gates/comparison.ts";
import { hold } from "../../../automation/gates/gate.ts";
import { type Behaviour, SimulatedBalancer } from "../../../sandbox/bench/simulated-balancer.ts";
import { comparisonSchema } from "../../../stacks/config/watch-schema.ts";

const { signal } = new AbortController();
const minute = 60_000;
const usual: Behaviour = { requestsPerSecond: 50, errorShare: 0, medianMilliseconds: 50, slowMilliseconds: 0 };

/** A traffic step whose minutes pass when the test says so. */
class Step {
  readonly balancer = new SimulatedBalancer(1);
  readonly gate: Comparison;
  #now = 1_000_000 * minute;
  /** Minutes later, the gate looks: when those that have passed are final. */
  #late = 0;

  constructor({ weight = 50, settings = {}, before }: { weight?: number; settings?: object; before?: Behaviour } = {}) {
    const sides = {
      loadBalancerArn: "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/www/1",
      next: { name: "green", targetGroupArn: "green", weight },
      old: { name: "blue", targetGroupArn: "blue", weight: 100 - weight },
    };
    if (before !== undefined) {
      this.balancer.serve("blue", { start: this.#now - 10 * minute, end: this.#now }, 60, before);
    }
    this.gate = new Comparison(
      this.balancer,
      sides,
      comparisonSchema.parse(settings),
      () => this.#now + this.#late * minute,
    );
    this.#late = 2;
  }

  /** A minute passes with these answers. */
  async minute(green: Partial<Behaviour> | undefined, blue: Partial<Behaviour> | undefined = {}) {
    const span = { start: this.#now, end: this.#now + minute };
    if (green !== undefined) this.balancer.serve("green", span, 60, { ...usual, ...green });
    if (blue !== undefined) this.balancer.serve("blue", span, 60, { ...usual, ...blue });
    this.#now = span.end;
    return this.gate.observe(signal);
  }

  lookAfter(minutes: number): void {
    this.#late = minutes;
  }

  async minutes(count: number, green: Partial<Behaviour>, blue: Partial<Behaviour> = {}) {
    let seen = await this.gate.observe(signal);
    for (let passed = 0; passed < count && seen.verdict === "pending"; passed++) seen = await this.minute(green, blue);
    return seen;
  }
}

describe("the comparison of new and old", () => {
  it("passes a generation that answers as the old one does, with the counts", async () => {
    const { verdict, evidence } = await new Step().minute({});
    assert.equal(verdict, "pass");
    assert.match(
      JSON.stringify(evidence),
      /"green":{"requests":\d+,"errors":0,"clientErrors":0,"slow":\d+},"blue":{.*"errors":"no worse"/,
    );
  });

  it("fails one that answers more often with 5xx", async () => {
    const { verdict, evidence } = await new Step().minute({ errorShare: 0.05 });
    assert.equal(verdict, "fail");
    assert.match(JSON.stringify(evidence), /"errors":"worse","slow":"no worse"/);
  });

  it("fails one that refuses many more requests with 4xx", async () => {
    const { verdict, evidence } = await new Step().minute({ clientErrorShare: 0.2 });
    assert.equal(verdict, "fail");
    assert.match(JSON.stringify(evidence), /"errors":"no worse","slow":"no worse","clientErrors":"worse"/);
  });

  it("lets clients be wrong: both are refused as often, or a few more, or no old server is there to be held against", async () => {
    const wrong = { clientErrorShare: 0.3 };
    assert.equal((await new Step().minute(wrong, wrong)).verdict, "pass");
    assert.equal((await new Step().minute({ clientErrorShare: 0.03 })).verdict, "pass");
    const bake = new Step({ weight: 100, before: { ...usual, clientErrorShare: 0.01 } });
    assert.equal((await bake.minute(wrong, undefined)).verdict, "pass");
    const any = new Step({ settings: { clientErrorTolerance: 1 } });
    assert.equal((await any.minute({ clientErrorShare: 1 })).verdict, "pass");
  });

  it("fails one that is slower", async () => {
    const { verdict, evidence } = await new Step().minute({ slowMilliseconds: 800 });
    assert.equal(verdict, "fail");
    assert.match(JSON.stringify(evidence), /"errors":"no worse","slow":"worse"/);
  });

  it("blames no generation for what the old one does too", async () => {
    const bad = { errorShare: 0.05, slowMilliseconds: 800 };
    assert.equal((await new Step({ settings: { patienceSeconds: 600 } }).minutes(10, bad, bad)).verdict, "pass");
  });

  it("waits for whole periods", async () => {
    const step = new Step();
    assert.equal((await step.gate.observe(signal)).verdict, "pending");
  });

  it("takes no minute for evidence that may still be revised: errors are told after requests", async () => {
    for (const late of [0, 1]) {
      const step = new Step();
      step.lookAfter(late);
      assert.equal((await step.minute({ errorShare: 0.5 })).verdict, "pending");
      const bake = new Step({ weight: 100 });
      bake.lookAfter(late - 1);
      assert.equal((await bake.minute({}, undefined)).verdict, "pending");
    }
  });

  it("is pending on too few requests, and inconclusive when its own patience is over", async () => {
    const few = { requestsPerSecond: 0.5 };
    const step = new Step({ settings: { patienceSeconds: 60 } });
    assert.equal((await step.minute(few, few)).verdict, "pending");
    const [result] = await hold([Object.assign(step.gate, { patienceSeconds: 0 })], { seconds: 3600, signal });
    assert.equal(result?.verdict, "inconclusive");
    assert.equal(new Step({ settings: { patienceSeconds: 60 } }).gate.patienceSeconds, 60 + 120);
  });

  it("is inconclusive when CloudWatch cannot be reached", async () => {
    const step = new Step();
    step.balancer.metricData = () => Promise.reject(new Error("no route to CloudWatch"));
    Object.assign(step.gate, { patienceSeconds: 0 });
    const [result] = await hold([step.gate], { seconds: 3600, signal });
    assert.deepEqual([result?.verdict, result?.evidence], ["inconclusive", { error: "no route to CloudWatch" }]);
  });

  describe("where nobody asked for it", () => {
    const settings = { whenTooFew: "pass" };

    it("does not wait for requests that are not to be expected, and says so", async () => {
      const before = { ...usual, requestsPerSecond: 0.5 };
      const { verdict, evidence } = await new Step({ settings, before }).gate.observe(signal);
      assert.equal(verdict, "pass");
      assert.match(JSON.stringify(evidence), /"tooFewRequests":{"expected":\d+,"needed":268,"withinSeconds":300}/);
    });

    it("waits where there are enough", async () => {
      const step = new Step({ settings, before: usual });
      assert.equal((await step.gate.observe(signal)).verdict, "pending");
      assert.equal((await step.minute({})).verdict, "pass");
    });

    it("refuses what is plainly worse on few requests", async () => {
      const few = { requestsPerSecond: 1 };
      const step = new Step({ settings: { ...settings, patienceSeconds: 120 } });
      assert.equal((await step.minute({ ...few, errorShare: 0.9 }, few)).verdict, "fail");
    });

    it("goes on when there is no verdict in its time", async () => {
      const between = { requestsPerSecond: 10, errorShare: 0.012 };
      const step = new Step({ settings: { ...settings, patienceSeconds: 60 } });
      const { verdict, evidence } = await step.minute(between, { requestsPerSecond: 10 });
      assert.equal(verdict, "pass");
      assert.match(JSON.stringify(evidence), /"undecidedAfterSeconds":60/);
    });
  });

  describe("in the bake", () => {
    const bake = { weight: 100, before: usual };

    it("holds the new one against the old one's last minutes", async () => {
      assert.equal((await new Step(bake).minute({}, undefined)).verdict, "pass");
      assert.equal((await new Step(bake).minute({ errorShare: 0.05 }, undefined)).verdict, "fail");
    });

    it("sees what goes bad after it has passed", async () => {
      const step = new Step(bake);
      assert.equal((await step.minutes(5, {})).verdict, "pass");
      assert.equal((await step.minute({ errorShare: 0.05 }, undefined)).verdict, "fail");
    });

    it("has nothing to compare where the old one had no traffic, and says so", async () => {
      const { verdict, evidence } = await new Step({ weight: 100 }).minute({}, undefined);
      assert.deepEqual(
        [verdict, evidence],
        ["pass", { notJudged: "blue had 0 requests in the last 15 minutes of its traffic" }],
      );
    });
  });
});
