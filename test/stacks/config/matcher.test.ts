import assert from "node:assert/strict";
import { isMatcher, matches } from "../../../stacks/config/matcher.ts";

describe("statuses of a healthy answer", () => {
  it("are numbers and ranges from 200 to 499", () => {
    const texts = [
      "200",
      "200,404",
      "200-299",
      "200-204,301-302",
      "299-200",
      "100",
      "200-500",
      "200-",
      "",
      "200, 404",
      "200-204-299",
    ];
    assert.deepEqual(texts.filter(isMatcher), ["200", "200,404", "200-299", "200-204,301-302"]);
  });

  it("take what they name", () => {
    assert.deepEqual(
      [200, 204, 299, 300, 404].map((status) => matches("200-299,404", status)),
      [true, true, true, false, true],
    );
  });
});
