import assert from "node:assert/strict";
import { resourceOf } from "../../../automation/plan/drift.ts";

describe("drift", () => {
  const urn = "urn:pulumi:production::www::aws:autoscaling/group:Group::blue";
  const drift = (changes: { path: string; before: unknown; after: unknown }[], op = "update") => ({
    op,
    urn,
    type: "aws:autoscaling/group:Group",
    name: "blue",
    properties: changes.map(({ path }) => path),
    changes,
  });

  it("has each property with what the last update left and what AWS has", () => {
    const { properties, gone } = resourceOf(drift([{ path: "maxSize", before: 4, after: undefined }]), {}, new Set());
    assert.deepEqual(properties, [{ name: "maxSize", before: 4, after: null }]);
    assert.equal(gone, false);
  });

  it("goes into what has parts, to those that differ", () => {
    const conditions = (host: string) => [{ hostHeader: { values: [host] } }, { pathPattern: null }];
    const change = { path: "conditions", before: conditions("test.example.com"), after: conditions("www.example.com") };
    assert.deepEqual(resourceOf(drift([change]), {}, new Set()).properties, [
      { name: "conditions[0].hostHeader.values[0]", before: "test.example.com", after: "www.example.com" },
    ]);
  });

  it("leaves out what the program leaves to whoever changes it", () => {
    const state = {
      resources: [{ urn, type: "aws:autoscaling/group:Group", ignoreChanges: ["desiredCapacity", "tags"] }],
    };
    const changes = ["desiredCapacity", 'tags["a.b"]', "tags[0].value", "minSize"].map((path) => ({
      path,
      before: 1,
      after: 2,
    }));
    const { properties } = resourceOf(drift(changes), state, new Set());
    assert.deepEqual(
      properties.map(({ name }) => name),
      ["minSize"],
    );
  });

  it("is of a resource that is gone, whatever it had", () => {
    assert.equal(resourceOf(drift([], "delete"), {}, new Set()).gone, true);
  });

  it("shows no secret, whole or in a text", () => {
    const secrets = new Set(["hunter2-hunter2"]);
    const changes = [{ path: "userData", before: "x", after: { text: "password=hunter2-hunter2" } }];
    assert.doesNotMatch(JSON.stringify(resourceOf(drift(changes), {}, secrets)), /hunter2/);
    assert.match(JSON.stringify(resourceOf(drift(changes), {}, secrets)), /\[secret\]/);
  });
});
