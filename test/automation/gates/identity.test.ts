import assert from "node:assert/strict";
import { byHeader, identityOf } from "../../../automation/gates/identity.ts";
import { configOf } from "../config.ts";

const answer = (body: string, headers: Record<string, string> = {}) => ({ status: 200, headers, body });

/** Of a site whose blue servers say 41. */
function identityBy(identify: object, APP_REVISION = "42") {
  const { config } = configOf({ green: { inputs: { APP_REVISION } }, upgrade: { identify } });
  return identityOf({ config, from: "blue", to: "green" });
}

const equals = "$inputs.APP_REVISION";

describe("who gave an answer", () => {
  it("is whom the header x-generation names, where the site says nothing else", () => {
    assert.deepEqual(byHeader.of(answer("", { "x-generation": "blue" })), { generation: "blue", says: "blue" });
    assert.equal(byHeader.of(answer("")), undefined);
    const { config } = configOf({});
    assert.equal(identityOf({ config, from: "blue", to: "green" }), byHeader);
  });

  for (const [source, signed] of [
    [{ header: "X-Revision", equals }, answer("", { "x-revision": " 42 " })],
    [{ json: "build.revision", equals }, answer('{"build":{"revision":42}}')],
    [{ body: "revision (\\d+)", equals }, answer("<p>revision 42</p>")],
    [{ body: "r\\d+", equals: "r$inputs.APP_REVISION" }, answer("this is r42.")],
    [{ header: "x-who", equals: "$generation/$inputs.APP_REVISION" }, answer("", { "x-who": "green/42" })],
  ] as const)
    it(`is the generation that is declared to say so: ${JSON.stringify(source)}`, () => {
      assert.equal(identityBy(source).of(signed)?.generation, "green");
    });

  it("is nobody of the run where no generation says that", () => {
    const identity = identityBy({ json: "revision", equals });
    assert.deepEqual(identity.of(answer('{"revision":"43"}')), { generation: undefined, says: "43" });
  });

  it("is not known where the answer says nothing, or has no value there", () => {
    const identity = identityBy({ json: "revision", equals });
    for (const body of ["", "<html>", '{"revision":null}', '{"revision":{"of":"42"}}', "{}"]) {
      assert.equal(identity.of(answer(body)), undefined, body);
      assert.equal(identity.isSigned(answer(body)), false, body);
    }
  });

  it("cannot be told where both generations say the same, though the answer says it", () => {
    const identity = identityBy({ json: "revision", equals }, "41");
    assert.equal(identity.of(answer('{"revision":41}')), undefined);
    assert.ok(identity.isSigned(answer('{"revision":41}')));
    assert.deepEqual(identity.of(answer('{"revision":42}')), { generation: undefined, says: "42" });
  });

  it("is asked of the health check's page, where no other is named", () => {
    assert.equal(identityBy({ header: "x-revision", equals }).path, "/health");
    assert.equal(identityBy({ path: "/version", header: "x-revision", equals }).path, "/version");
  });
});
