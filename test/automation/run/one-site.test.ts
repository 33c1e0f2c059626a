import assert from "node:assert/strict";
import type { Deployment } from "../../../automation/engine/deployment.ts";
import { checkOneSite } from "../../../automation/run/one-site.ts";
import { types } from "../../../stacks/names.ts";

/** What AWS has of the site, by type, and what the stack's state has. */
const check = (there: Readonly<Record<string, readonly string[]>>, state: Deployment = {}) =>
  checkOneSite({
    stack: "www",
    region: "us-east-1",
    aws: { findCreated: async (type) => there[type] ?? [] },
    engine: { state: { export: async () => state } },
  });
const ledger = { urn: "urn::ledger", type: types.table };

describe("a stack that was never deployed", () => {
  it("is deployed where nothing of its site is there", () => check({}));

  for (const [what, there] of [
    ["its table", { [types.table]: ["handover-www"] }],
    ["servers with its tag", { [types.instance]: ["i-1"] }],
    ["a network with its tag", { [types.vpc]: ["vpc-1"] }],
  ] as const)
    it(`is refused where ${what} is there: another backend has the site`, () =>
      assert.rejects(check(there), { code: "another-site", exitCode: 1, message: /PULUMI_BACKEND_URL/ }));

  it("goes on with its own first deployment that was cut off, also while its table was in the making", async () => {
    const there = { [types.table]: ["handover-www"], [types.vpc]: ["vpc-1"] };
    await check(there, { resources: [ledger] });
    await check(there, { pending_operations: [{ type: "creating", resource: ledger }] });
  });
});
