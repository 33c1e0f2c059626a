import assert from "node:assert/strict";
import { type CheckFailure, checkInputs } from "../../provider/check.ts";
import { diffInputs, importInputs, refreshInputs } from "../../provider/diff.ts";
import { boolean, list, map, number, object, set, string } from "../../provider/fields.ts";
import { nameAutomatically } from "../../provider/names.ts";
import { Tokens } from "../../provider/tokens.ts";
import { type Properties, unknown } from "../../provider/values.ts";

describe("The provider's machinery", () => {
  const fields = {
    name: string({ required: true, replace: true }),
    size: number({ default: 8 }),
    zone: string({ computed: true, replace: true }),
    enabled: boolean({ default: true }),
    disk: object({ encrypted: boolean({ replace: true }), kind: string({ computed: true }) }, { computed: true }),
    rules: set(object({ port: number(), self: boolean({ default: false }) })),
    steps: list(string()),
    tags: map(),
    force: boolean({ writeOnly: true }),
  };
  const diff = (olds: Properties, news: Properties) =>
    diffInputs(olds, news, fields).map(({ path, kind, replace }) => `${kind} ${path}${replace ? " replaces" : ""}`);

  it("names the path of what is wrong with inputs", () => {
    const failures: CheckFailure[] = [];
    const inputs = { size: "big", disk: { encrypted: "true", speed: 9 }, rules: [{ port: "80" }, { port: {} }] };
    const checked = checkInputs(inputs, fields, failures);
    assert.deepEqual(
      failures.map(({ property, reason }) => [property, reason]),
      [
        ["size", 'size must be a number, not "big"'],
        ["disk.speed", "disk.speed is not supported by Handover's provider"],
        ["rules[1].port", "rules[1].port must be a number, not {}"],
        ["name", "name is required"],
      ],
    );
    assert.deepEqual(checked.disk, { encrypted: true });
  });

  it("lets unknown values pass", () => {
    const failures: CheckFailure[] = [];
    const inputs = { name: unknown, disk: unknown, rules: [{ port: unknown }] };
    assert.deepEqual(checkInputs(inputs, fields, failures), inputs);
    assert.deepEqual(failures, []);
  });

  it("takes a default, an empty list and nothing for the same", () => {
    assert.deepEqual(diff({ name: "a", size: 8, rules: [] }, { name: "a", enabled: true, tags: {} }), []);
  });

  it("has no opinion on what AWS chose", () => {
    assert.deepEqual(diff({ zone: "a", disk: { encrypted: true, kind: "gp3" } }, { disk: { encrypted: true } }), []);
    assert.deepEqual(diff({ zone: "a" }, { zone: "b" }), ["update zone replaces"]);
  });

  it("looks into objects, maps and lists", () => {
    const olds = { disk: { encrypted: true }, tags: { "a:b": "1", c: "2" }, steps: ["x", "y"], rules: [{ port: 1 }] };
    const news = { disk: { encrypted: false }, tags: { "a:b": "2", d: "3" }, steps: ["y", "x"], rules: [{ port: 2 }] };
    assert.deepEqual(diff(olds, news), [
      "update disk.encrypted replaces",
      "update rules",
      "update steps",
      'update tags["a:b"]',
      "delete tags.c",
      "add tags.d",
    ]);
  });

  it("compares sets whatever their order and their defaults", () => {
    const olds = { rules: [{ port: 1, self: false }, { port: 2 }] };
    assert.deepEqual(diff(olds, { rules: [{ port: 2, self: false }, { port: 1 }] }), []);
    assert.deepEqual(diff(olds, { rules: [{ port: 2 }, { port: 2 }] }), ["update rules"]);
  });

  it("takes an unknown value for a change", () => {
    assert.deepEqual(diff({ name: "a", rules: [{ port: 1 }] }, { name: unknown, rules: [{ port: unknown }] }), [
      "update name replaces",
      "update rules",
    ]);
  });

  it("keeps the inputs as the program wrote them, where the cloud is the same", () => {
    const inputs = { name: "a", disk: { encrypted: true }, rules: [{ port: 2 }, { port: 1 }], force: true };
    const state = {
      name: "a",
      size: 9,
      zone: "z",
      enabled: true,
      disk: { encrypted: true, kind: "gp3" },
      rules: [
        { port: 1, self: false },
        { port: 2, self: false },
      ],
      tags: { by: "hand" },
    };
    assert.deepEqual(refreshInputs(inputs, state, fields), { ...inputs, size: 9, tags: { by: "hand" } });
  });

  it("imports what a program has to say", () => {
    const state = { name: "a", size: 8, enabled: false, zone: "z", tags: {}, rules: [{ port: 1, self: false }] };
    assert.deepEqual(importInputs(state, fields), { name: "a", enabled: false, zone: "z", rules: [{ port: 1 }] });
  });

  it("names automatically by the engine's seed, no longer than AWS takes", () => {
    const options = { property: "name", maxLength: 32 };
    const named = (seed: string, olds: Properties = {}) => {
      const inputs: Properties = {};
      nameAutomatically(inputs, olds, options, "a-very-long-name-for-a-load-balancer", Buffer.from(seed));
      return inputs;
    };
    assert.match(String(named("1").name), /^a-very-long-name-for-a-l-[0-9a-f]{7}$/);
    assert.equal(named("1").name, named("1").name);
    assert.notEqual(named("1").name, named("2").name);
    assert.equal(named("2", named("1")).name, named("1").name);
    assert.notEqual(named("2", { name: "fixed" }).name, "fixed");
  });

  it("gives a repeated creation the same token, and a forced replacement by the same inputs another", () => {
    const tokens = new Tokens();
    const inputs = { a: 1, b: 2 };
    const first = tokens.token("urn", inputs, 0);
    assert.equal(tokens.token("urn", { b: 2, a: 1 }, 0), first);
    assert.notEqual(tokens.token("urn", inputs, 1), first);
    assert.notEqual(tokens.token("urn", { a: 2 }, 0), first);
    tokens.checked("urn", inputs);
    tokens.checked("urn", {});
    assert.notEqual(tokens.token("urn", inputs, 0), first);
    tokens.gone("urn");
    assert.equal(tokens.token("urn", inputs, 0), first);
  });

  it("gives a replacement a token by what it replaces, so that it never gets an earlier one that was retained", () => {
    const [a, b] = [{ image: "a" }, { image: "b" }];
    const replacing = (olds: Properties, id: string, news: Properties) => {
      // What an engine asks, in this order; after a crash another process asks again.
      const tokens = new Tokens();
      tokens.checked("urn", olds);
      tokens.compared("urn", id);
      tokens.checked("urn", {});
      return tokens.token("urn", news, 0);
    };
    const first = new Tokens().token("urn", a, 0);
    assert.notEqual(replacing(b, "i-b", a), first);
    assert.equal(replacing(b, "i-b", a), replacing(b, "i-b", a));
    assert.notEqual(replacing(b, "i-b", a), replacing(b, "i-b2", a));
  });
});
