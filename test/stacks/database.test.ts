import assert from "node:assert/strict";
import { snapshotIdentifier } from "../../stacks/database.ts";

describe("name of an RDS snapshot", () => {
  const cases: [site: string, name: string][] = [
    ["handover-production", "handover-production-20261129-000000-5f3a"],
    ["handover-my_stack", "handover-my-stack-20261129-000000-5f3a"],
    ["handover-a--b", "handover-a-b-20261129-000000-5f3a"],
    ["handover-Prod.eu_", "handover-prod-eu-20261129-000000-5f3a"],
  ];
  for (const [site, name] of cases) {
    it(`has what RDS takes of ${site}`, () => {
      assert.equal(snapshotIdentifier(site, "20261129-000000-5f3a"), name);
    });
  }

  it("has at most 255 characters, and all of the run's", () => {
    const name = snapshotIdentifier(`handover-${"a-".repeat(200)}`, "20261129-000000-5f3a");
    assert.ok(name.length <= 255, String(name.length));
    assert.match(name, /^[a-z](-?[a-z0-9])*$/);
    assert.match(name, /-20261129-000000-5f3a$/);
  });
});
