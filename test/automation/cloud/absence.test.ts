import assert from "node:assert/strict";
import { foundInTime, lasting } from "../../../automation/cloud/absence.ts";

/** Answers, one at each look; the last one is that of every later look. */
function looksAt<T>(...answers: readonly T[]): () => Promise<T> {
  const left = [...answers];
  return async () => (left.length > 1 ? left.shift() : left[0]) as T;
}

describe("looks at what AWS may not show yet", () => {
  it("go on until it is found", async () => {
    assert.equal(await foundInTime(looksAt(undefined, undefined, "i-1"), 3600), "i-1");
  });

  it("find nothing only when nothing was there at every look for long enough", async () => {
    assert.equal(await foundInTime(looksAt(undefined), 0.1), undefined);
  });

  it("end with an error of their own", async () => {
    await assert.rejects(
      foundInTime(() => Promise.reject(new Error("AccessDenied")), 3600),
      /AccessDenied/,
    );
  });

  it("find nothing wrong as soon as one finds nothing", async () => {
    assert.deepEqual(await lasting(looksAt(["a", "b"], []), String, 3600), []);
  });

  it("find wrong what was wrong at every one of them, and as it was at the last", async () => {
    const first = [
      { id: "a", state: "stopping" },
      { id: "b", state: "gone" },
    ];
    const later = [
      { id: "a", state: "stopped" },
      { id: "c", state: "gone" },
    ];
    assert.deepEqual(await lasting(looksAt(first, later), ({ id }) => id, 0.1), [{ id: "a", state: "stopped" }]);
  });
});
