import assert from "node:assert/strict";
import type { Definitions } from "../../stacks/outputs.ts";
import { type Parameters, withParameters } from "../../stacks/parameters.ts";
import { exampleConfig } from "./shape.ts";

const text = (value: string) => ({ value, secret: false });
const store: Record<string, Parameters> = {
  "/www": { APP_REVISION: text("0"), COLOUR: text("grey"), REGION: text("eu") },
  "/www/green": { COLOUR: text("green"), KEY: { value: "s3cret", secret: true } },
  "/www/odd": { "not-a-name": text("1") },
};
const read = async (path: string) => store[path] ?? {};
const config = (from: string | undefined = "/www/green", site: string | undefined = "/www") =>
  exampleConfig((values) => {
    values.site.inputsFrom = site;
    values.generations.green.inputsFrom = from;
  });

describe("inputs from Systems Manager", () => {
  it("are the site's, over them the generation's, and over both what the configuration states", async () => {
    const { config: resolved, parameters } = await withParameters(config(), ["green"], undefined, read);
    const expected = { APP_REVISION: "42", COLOUR: "green", KEY: "s3cret", REGION: "eu" };
    assert.deepEqual(resolved.generations.green?.inputs, expected);
    assert.deepEqual(parameters.green?.KEY, { value: "s3cret", secret: true });
  });

  it("are read for the generations that are in use only", async () => {
    const { config: resolved } = await withParameters(config("/nowhere"), ["blue"], undefined, read);
    assert.equal(resolved.generations.blue?.inputs.COLOUR, "grey");
    assert.deepEqual(resolved.generations.green?.inputs, { APP_REVISION: "42" });
  });

  it("stay those that a generation was launched with", async () => {
    const launched = { green: { parameters: { COLOUR: text("old") } }, blue: {} } as unknown as Definitions;
    const { config: resolved } = await withParameters(config(), ["blue", "green"], launched, read);
    assert.deepEqual(resolved.generations.green?.inputs, { APP_REVISION: "42", COLOUR: "old" });
    assert.deepEqual(resolved.generations.blue?.inputs, { APP_REVISION: "41" });
  });

  it("are refused with the key and what would work", async () => {
    const refused = (from: string, message: RegExp) =>
      assert.rejects(withParameters(config(from), ["green"], undefined, read), message);
    await refused("/nowhere", /^ConfigError: handover:generations\.green\.inputsFrom: there is no parameter under/);
    await refused("/www/odd", /\/www\/odd\/not-a-name: an input's name is that of an environment variable/);
    const failing = () => Promise.reject(new Error("AccessDenied"));
    await assert.rejects(withParameters(config(), ["green"], undefined, failing), /inputsFrom: .*AccessDenied/);
  });
});
