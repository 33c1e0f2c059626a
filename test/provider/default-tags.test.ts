import assert from "node:assert/strict";
import type { CheckFailure } from "../../provider/check.ts";
import { cloudOptions } from "../../provider/configuration.ts";
import { unknown } from "../../provider/values.ts";
import { Harness } from "./harness.ts";
import { itLivesAs } from "./lifecycle.ts";

const token = "aws:ec2/vpc:Vpc";
const cidrBlock = "10.1.0.0/16";

describe("The provider's default tags", function () {
  this.timeout(60_000);
  let harness: Harness;

  before(async () => {
    harness = await Harness.start();
  });

  after(() => harness?.cloud.stop());

  beforeEach(() => harness.configure({ defaultTags: { team: "web", stage: "test" } }));

  itLivesAs(
    "with default tags, a Vpc",
    () => harness,
    () => ({
      token,
      inputs: { cidrBlock, tags: { Name: "shop", stage: "other" } },
      change: { tags: { Name: "shop", team: "web" } },
      replace: {},
    }),
  );

  it("are in the cloud and in `tagsAll`, and a resource's own tags win", async () => {
    const deployed = await harness.create(token, "own", { cidrBlock, tags: { stage: "production" } });
    assert.deepEqual(deployed.state.tags, { stage: "production" });
    assert.deepEqual(deployed.state.tagsAll, { team: "web", stage: "production" });
    await harness.delete(deployed);
  });

  it("change in place what has no tags of its own, and are put back when somebody removes them", async () => {
    const program = { cidrBlock };
    const deployed = await harness.create(token, "none", program);
    assert.deepEqual(harness.diff(deployed, program).differences, []);
    harness.configure({ defaultTags: { team: "shop" } });
    assert.deepEqual(harness.diff(deployed, program).differences, [
      { path: "tagsAll", kind: "update", replace: false },
    ]);
    const ignoring = harness.provider.diff(deployed, deployed.id, program, deployed.state, program, ["tagsAll"]);
    assert.deepEqual(ignoring.differences, []);
    const changed = await harness.update(deployed, program);
    assert.deepEqual(changed.state.tagsAll, { team: "shop" });
    assert.equal(changed.state.tags, undefined);
    harness.configure({});
    const removed = await harness.update(changed, program);
    assert.deepEqual(removed.state.tagsAll, {});
    harness.configure({ defaultTags: { team: "shop" } });
    const drifted = await harness.refresh({ ...removed, state: changed.state });
    assert.ok(drifted);
    assert.deepEqual(harness.diff(drifted, program).differences, [{ path: "tagsAll", kind: "add", replace: false }]);
    await harness.delete(drifted);
  });

  it("are known in a preview", async () => {
    const urn = harness.urn(token, "preview");
    const inputs = harness.check(urn, {}, { cidrBlock, tags: { Name: unknown } });
    const { state } = await harness.provider.create({ urn }, inputs, true);
    assert.deepEqual(state.tagsAll, { team: "web", stage: "test", Name: unknown });
  });

  it("come as text, as every setting of the provider does", () => {
    const failures: CheckFailure[] = [];
    const { defaultTags } = cloudOptions({ defaultTags: '{"tags":{"team":"web"}}' }, failures);
    assert.deepEqual(defaultTags, { team: "web" });
    assert.deepEqual(failures, []);
  });
});
