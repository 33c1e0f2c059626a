import assert from "node:assert/strict";
import { difference, fewest, judge } from "../../../automation/gates/proportions.ts";

describe("the difference of two shares", () => {
  it("has the bounds that Newcombe published", () => {
    // Table II, (a): 56/70 - 48/80, two-sided at 95 %: 0.0524 to 0.3339.
    const { lower, upper } = difference({ count: 56, of: 70 }, { count: 48, of: 80 }, 0.975);
    assert.ok(Math.abs(lower - 0.0524) < 0.001 && Math.abs(upper - 0.3339) < 0.001, `${lower} to ${upper}`);
  });

  it("has bounds without a single count too", () => {
    // Table II, (f): 0/10 - 0/10: -0.2775 to 0.2775.
    const { lower, upper } = difference({ count: 0, of: 10 }, { count: 0, of: 10 }, 0.975);
    assert.ok(Math.abs(lower + 0.2775) < 0.002 && Math.abs(upper - 0.2775) < 0.002, `${lower} to ${upper}`);
  });

  const rule = { tolerance: 0.01, confidence: 0.95 };
  const old = { count: 0, of: 10_000 };

  it("is worse beyond the tolerance only when it is surely so", () => {
    assert.equal(judge({ count: 50, of: 1000 }, old, { ...rule, look: 1 }), "worse");
    assert.equal(judge({ count: 12, of: 1000 }, old, { ...rule, look: 1 }), "undecided");
  });

  it("is no worse when the bound keeps the tolerance, and not on too little", () => {
    assert.equal(judge({ count: 0, of: fewest(rule) + 20 }, old, rule), "no worse");
    assert.equal(judge({ count: 0, of: fewest(rule) - 1 }, old, rule), "undecided");
    assert.equal(judge({ count: 0, of: 0 }, old, rule), "undecided");
  });

  it("asks for more the more often it has looked, and refuses nothing where it may not", () => {
    const next = { count: 7, of: 200 };
    assert.equal(judge(next, old, { ...rule, look: 1 }), "worse");
    assert.equal(judge(next, old, { ...rule, look: 40 }), "undecided");
    assert.equal(judge(next, old, rule), "undecided");
  });
});
