import assert from "node:assert/strict";
import { isNotYetShown } from "../../automation/engine/engine-errors.ts";
import { waitUntilThere } from "../../provider/wait.ts";

describe("waiting for what was just created", () => {
  const options = { what: "EC2 EIP Association (eipassoc-1)", timeoutSeconds: 0, signal: AbortSignal.timeout(60_000) };

  it("ends when it is there", () => waitUntilThere(async () => ({ id: "eipassoc-1" }), options));

  it("fails in the official plugin's words, which the driver takes for late and not for an answer", async () => {
    const { message } = await waitUntilThere(async () => undefined, options).catch((error) => error);
    assert.equal(message, "waiting for EC2 EIP Association (eipassoc-1) create: couldn't find resource");
    assert.ok(isNotYetShown(message));
  });
});
