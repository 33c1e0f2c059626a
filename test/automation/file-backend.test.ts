import assert from "node:assert/strict";
import { withoutAttributes } from "../../automation/file-backend.ts";

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
});
