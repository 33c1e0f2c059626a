import assert from "node:assert/strict";
import { defaultsKey, type Properties, unknown } from "../../provider/values.ts";
import type { Deployed, Harness } from "./harness.ts";

export interface Lifecycle {
  readonly token: string;
  /** What a program says. */
  readonly inputs: Properties;
  /** What a program says differently; undefined takes an input away. */
  readonly change?: Properties;
  /** The inputs that `change` changes, where they are not its keys. */
  readonly changes?: readonly string[];
  /** Each of these alone replaces the resource. */
  readonly replace: Properties;
  /** Outputs that AWS chooses. */
  readonly outputs?: readonly string[];
  readonly importId?: (deployed: Deployed) => string;
  /** Inputs that AWS cannot tell. */
  readonly untold?: readonly string[];
  /** Reasons for which what is imported is refused as inputs. */
  readonly refused?: readonly string[];
}

/**
 * What holds for every type of resource. `context` is asked when the tests run.
 * @param updates whether anything of it can change in place. Default: true
 */
export function itLivesAs(
  title: string,
  harness: () => Harness,
  context: () => Lifecycle,
  { updates = true }: { readonly updates?: boolean } = {},
): void {
  describe(title, () => {
    let deployed: Deployed;
    const name = title.split(" ").at(-1) ?? title;

    it("refuses an input that it does not know", () => {
      const { token, inputs } = context();
      const urn = harness().urn(token, name);
      const { failures } = harness().provider.check({ urn }, {}, { ...inputs, surprise: true }, Buffer.from("x"));
      assert.deepEqual(failures, [
        { property: "surprise", reason: "surprise is not supported by Handover's provider" },
      ]);
    });

    it("shows in a preview what is not known yet", async () => {
      const { token, inputs, outputs = ["arn"] } = context();
      const urn = harness().urn(token, name);
      const checked = harness().check(urn, {}, inputs);
      const { id, state } = await harness().provider.create({ urn }, checked, true);
      assert.equal(id, "");
      for (const output of outputs) assert.equal(state[output], unknown, output);
    });

    it("is created, and a refresh finds no changes", async () => {
      const { token, inputs } = context();
      deployed = await harness().create(token, name, inputs);
      await assertUnchanged(harness(), deployed);
      assert.deepEqual(harness().diff(deployed, inputs).differences, []);
    });

    it("is imported, and an update after that changes only what AWS cannot tell", async () => {
      const { token, inputs, importId = ({ id }) => id, untold = [] } = context();
      const imported = await harness().import(token, name, importId(deployed));
      assert.ok(imported, "nothing was imported");
      assert.equal(imported.id, deployed.id);
      const changed = harness()
        .diff(imported, inputs)
        .differences.map(({ path }) => path);
      assert.deepEqual(changed.sort(), [...untold].sort());
      const { provider } = harness();
      const { failures } = provider.check(imported, imported.inputs, imported.inputs, Buffer.from("x"));
      assert.deepEqual(
        failures.map(({ reason }) => reason),
        context().refused ?? [],
      );
    });

    it("is imported without what AWS cannot tell, too, when its inputs are known", async () => {
      const { token, importId = ({ id }) => id } = context();
      const read = (inputs: Properties) => harness().import(token, name, importId(deployed), inputs);
      assert.deepEqual(plain(await read(deployed.inputs)), plain(await read({})));
    });

    it("is adopted with its inputs as all that is known of it, and an update after that changes nothing", async () => {
      const { inputs } = context();
      const { [defaultsKey]: _, ...stated } = deployed.inputs;
      const adopted = await harness().refresh({ ...deployed, state: stated });
      assert.ok(adopted, "nothing was adopted");
      assert.deepEqual(harness().diff(adopted, inputs).differences, []);
      await assertUnchanged(harness(), { ...deployed, state: adopted.state });
    });

    if (updates) {
      it("is updated in place", async () => {
        const { inputs, change = {}, changes = Object.keys(change) } = context();
        const program = { ...inputs, ...change };
        const { differences } = harness().diff(deployed, program);
        const changed = differences.map(({ path }) => path.split(/[.[]/)[0]);
        assert.ok(changed.length > 0);
        assert.deepEqual([...new Set(changed)].sort(), [...changes].sort());
        assert.ok(!differences.some(({ replace }) => replace), JSON.stringify(differences));
        deployed = await harness().update(deployed, program);
        await assertUnchanged(harness(), deployed);
        assert.deepEqual(harness().diff(deployed, program).differences, []);
      });
    }

    it("is replaced when what AWS cannot change changes", () => {
      const { inputs, replace } = context();
      for (const [input, value] of Object.entries(replace)) {
        const { differences } = harness().diff(deployed, { ...inputs, [input]: value });
        const own = differences.filter(({ path }) => path === input || path.startsWith(`${input}.`));
        assert.ok(own.length > 0, `${input} makes no difference`);
        assert.ok(
          own.every((difference) => difference.replace),
          `${input} does not replace`,
        );
      }
    });

    it("is deleted, and that is no error when it is gone", async () => {
      await harness().delete(deployed);
      assert.equal(await harness().refresh(deployed), undefined);
      await harness().delete(deployed);
    });
  });
}

async function assertUnchanged(harness: Harness, deployed: Deployed): Promise<void> {
  const refreshed = await harness.refresh(deployed);
  assert.ok(refreshed, "it is gone");
  assert.deepEqual(plain(refreshed.inputs), plain(deployed.inputs));
  assert.deepEqual(plain(refreshed.state), plain(deployed.state));
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
