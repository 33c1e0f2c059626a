import assert from "node:assert/strict";
import { exitCodes, HandoverError, say, toType } from "../../automation/errors.ts";

describe("a message", () => {
  it("says what happened, the state of things, what comes first, and one command to type next", () => {
    const message = say({
      happened: "The plan would replace a live server.",
      state: "None of it was applied",
      first: "Put it back",
      next: toType("resume", "production"),
    });
    assert.equal(
      message,
      "The plan would replace a live server. None of it was applied. Put it back. Next: `handover resume --stack production`",
    );
  });

  it("gives the other ways their purpose, where a person has the choice", () => {
    const or = [{ to: "go back", type: toType("rollback", "production", "--accept-schema") }];
    const message = say({ happened: "Stopped", next: toType("resume", "production"), or });
    assert.match(
      message,
      /Next: `handover resume .*`\. To go back: `handover rollback --stack production --accept-schema`$/,
    );
  });

  it("is left as it is where it is a text, and is kept as data beside it", () => {
    const error = new HandoverError("usage", exitCodes.usage, "Nothing was written.");
    assert.deepEqual(
      [error.message, error.explanation],
      ["Nothing was written.", { happened: "Nothing was written." }],
    );
  });
});
