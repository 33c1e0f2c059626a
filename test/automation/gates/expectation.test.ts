import assert from "node:assert/strict";
import type { Answer } from "../../../automation/cloud/http.ts";
import { differenceOf } from "../../../automation/gates/expectation.ts";

describe("what is expected of an answer", () => {
  const answer = (status: number) => ({ status, body: "", headers: {} }) as Answer;
  const difference = (matcher: string | undefined, status: number) =>
    differenceOf({ expectStatus: 200, matcher }, answer(status), (text) => text);

  it("is the check's own status", () => {
    assert.equal(difference(undefined, 200), undefined);
    assert.deepEqual(difference(undefined, 404), { expected: 200, answered: 404 });
  });

  it("is what the health check accepts, where there is no check of the site's own", () => {
    assert.equal(difference("200,404", 404), undefined);
    assert.deepEqual(difference("301-302", 200), { expected: "301-302", answered: 200 });
  });
});
