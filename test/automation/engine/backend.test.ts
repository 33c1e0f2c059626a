import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { restoreState, withoutAttributes } from "../../../automation/engine/backend.ts";

describe("a backend in files", () => {
  const urls: readonly [string | undefined, string | undefined][] = [
    ["file:///srv/state", "file:///srv/state?metadata=skip"],
    ["file://~/state?no_tmp_dir=false", "file://~/state?no_tmp_dir=false&metadata=skip"],
    ["file:///srv/state?metadata=skip", undefined],
    ["s3://bucket", undefined],
    ["https://api.pulumi.com", undefined],
    [undefined, undefined],
  ];
  for (const [url, expected] of urls) {
    it(`has no attributes that could be read half-written: ${url} becomes ${expected ?? "no other"}`, () => {
      assert.equal(withoutAttributes({ PULUMI_BACKEND_URL: url }).PULUMI_BACKEND_URL, expected);
    });
  }

  describe("that was on a full disk", () => {
    const root = mkdtempSync(join(tmpdir(), "handover-test-"));
    const directory = join(root, ".pulumi", "stacks", "handover");
    before(() => mkdirSync(directory, { recursive: true }));
    after(() => rmSync(root, { recursive: true }));

    const restored = (state: string, old: string) => {
      writeFileSync(join(directory, "shop.json"), state);
      writeFileSync(join(directory, "shop.json.bak"), old);
      restoreState("shop", "handover", { PULUMI_BACKEND_URL: `file://${root}?metadata=skip` });
      assert.deepEqual(readdirSync(directory).sort(), ["shop.json", "shop.json.bak"]);
      return readFileSync(join(directory, "shop.json"), "utf8");
    };

    it("has the state before the one that could not be written", () => assert.equal(restored("", "before"), "before"));
    it("keeps a state that could be", () => assert.equal(restored("now", "before"), "now"));
  });
});
