import assert from "node:assert/strict";
import { code, escaped, markdownTable } from "../../../automation/documents/markdown.ts";

describe("Markdown", () => {
  it("lets a text be nothing but text", () => {
    assert.equal(
      escaped("<b> & [a](b) @all `x` *y* _z_ | \\\n end"),
      "&#60;b&#62; &#38; \\[a\\](b) \\@all \\`x\\` \\*y\\* \\_z\\_ \\| \\\\ end",
    );
  });

  it("has tables whose cells are nothing but text, with numbers to the right", () => {
    assert.deepEqual(markdownTable(["phase", "seconds"], [["a|b", "1.0"]], ["seconds"]), [
      "| phase | seconds |",
      "| --- | ---: |",
      "| a\\|b | 1.0 |",
      "",
    ]);
  });

  it("has inline code whose fence is longer than the backquotes in it", () => {
    assert.equal(code("a"), "`a`");
    assert.equal(code("a\n``b`"), "``` a ``b` ```");
  });
});
