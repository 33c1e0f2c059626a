import assert from "node:assert/strict";
import type { Deployment, StateResource } from "../../../automation/engine/deployment.ts";
import { recover } from "../../../automation/run/recovery.ts";

const balancer = "aws:lb/loadBalancer:LoadBalancer";
const attachment = "aws:lb/targetGroupAttachment:TargetGroupAttachment";

/** A state with what was in flight, and a cloud that shows after so many looks, and readings, what was created. */
function killed(
  pending: readonly (readonly [operation: string, type: string])[],
  { looks = 1, ids = ["lb-2"], readings = 1, initErrors = [] as readonly string[] } = {},
) {
  const state: Deployment = {
    resources: [{ urn: "urn::old", type: balancer, id: "lb-1", initErrors }],
    pending_operations: pending.map(([type, resource]) => ({
      type,
      resource: { urn: `urn::${resource}`, type: resource, inputs: { name: "site-1" } },
    })),
  };
  const done: string[] = [];
  let looked = 0;
  let imported: Deployment | undefined;
  let read = 0;
  const engine = {
    unlock: async () => void done.push("unlock"),
    state: {
      export: async () => (imported === undefined || read >= readings ? (imported ?? state) : state),
      import: async (deployment: Deployment) => {
        imported = deployment;
        done.push("import");
      },
    },
    refresh: async (urns: readonly string[]) => {
      read++;
      done.push(`refresh ${urns.join()}`);
    },
  };
  const aws = {
    findCreated: async (type: string) => {
      if (type === attachment) return undefined;
      looked++;
      return looked >= looks ? ["lb-1", ...ids] : ["lb-1"];
    },
  };
  const signal = new AbortController().signal;
  const mend = (patience: number, forgotten: readonly StateResource[] = []) =>
    recover(engine, aws, signal, { patience, forgotten });
  const outputs = () => imported?.resources?.at(-1)?.outputs;
  return { mend, done, looked: () => looked, resources: () => imported?.resources?.map(({ id }) => id), outputs };
}

describe("what a killed engine left", () => {
  it("is nothing, when nothing was in flight", async () => {
    const { mend, done } = killed([]);
    assert.deepEqual(await mend(0), { adopted: [], cleared: [] });
    assert.deepEqual(done, ["unlock"]);
  });

  it("is adopted when it was created, and is not in the state under another name", async () => {
    const { mend, done, resources } = killed([["creating", balancer]]);
    assert.deepEqual(await mend(0), { adopted: [{ urn: `urn::${balancer}`, id: "lb-2" }], cleared: [] });
    assert.deepEqual(done, ["unlock", "import", `refresh urn::${balancer}`]);
    assert.deepEqual(resources(), ["lb-1", "lb-2"]);
  });

  it("is not dropped again when a reading does not find it: AWS may show it only later", async () => {
    const { mend, done, resources } = killed([["creating", balancer]], { readings: 2 });
    await mend(60);
    const refresh = `refresh urn::${balancer}`;
    assert.deepEqual(done, ["unlock", "import", refresh, "import", refresh]);
    assert.deepEqual(resources(), ["lb-1", "lb-2"]);
  });

  /** Recovers what could not be read when it was made, and is shown with these values, one after the other. */
  async function readingsOf(key: string, made: unknown, shown: readonly unknown[]) {
    const resource = { urn: "urn::made", type: "aws:ebs/snapshot:Snapshot", id: "snap-1", inputs: { [key]: made } };
    let readings = 0;
    let state: Deployment = { resources: [{ ...resource, initErrors: ["couldn't find resource"] }] };
    const engine = {
      unlock: async () => {},
      refresh: async () => {
        const values = { [key]: shown[Math.min(readings++, shown.length - 1)] };
        state = { resources: [{ ...resource, inputs: values, outputs: values }] };
      },
      state: { export: async () => state, import: async () => assert.fail("it was never dropped") },
    };
    await recover(engine, { findCreated: async () => [] }, new AbortController().signal, { patience: 1 });
    return { readings, kept: state.resources?.[0]?.inputs?.[key] };
  }
  const all = { Name: "site-database", "handover:run": "7" };
  const some = { Name: "site-database" };

  it("is read again until AWS shows its tags, or the next update would take off the run's", async () => {
    const seen = await readingsOf("tags", { ...all, __defaults: [] }, [some, all]);
    assert.deepEqual(seen, { readings: 2, kept: all });
  });

  it("is as AWS shows it where somebody took its tags off", async () => {
    assert.deepEqual(await readingsOf("tags", all, [some]), { readings: 3, kept: some });
  });

  it("is read again until AWS shows an internet gateway's network, or the next update would attach it again", async () => {
    assert.deepEqual(await readingsOf("vpcId", "vpc-1", ["", "", "vpc-1"]), { readings: 3, kept: "vpc-1" });
  });

  it("is adopted too when the engine forgot it since its provider died", async () => {
    const { mend, resources } = killed([]);
    const urn = `urn::${balancer}`;
    const { adopted } = await mend(0, [{ urn, type: balancer, custom: true, inputs: { name: "site-1" } }]);
    assert.deepEqual([adopted, resources()], [[{ urn, id: "lb-2" }], ["lb-1", "lb-2"]]);
  });

  it("is read again where it was created and could not be read, and nothing of its name is looked for", async () => {
    const { mend, done, looked } = killed([], { initErrors: ["couldn't find resource"], readings: 0 });
    const failed = { urn: "urn::old", type: balancer, custom: true, inputs: { name: "site-1" } };
    assert.deepEqual(await mend(0, [failed]), { adopted: [], cleared: [] });
    assert.deepEqual([done, looked()], [["unlock", "refresh urn::old"], 0]);
  });

  it("keeps its inputs as outputs, or AWS would have to tell what it cannot", async () => {
    const { mend, outputs } = killed([]);
    const inputs = {
      name: "site-1",
      forceDelete: true,
      __defaults: ["name"],
      tags: [{ key: "Name", value: "a", __defaults: [] }],
      password: { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", plaintext: '"p"' },
    };
    await mend(0, [{ urn: "urn::group", type: balancer, inputs }]);
    const { __defaults: _, ...stated } = inputs;
    assert.deepEqual(outputs(), { ...stated, tags: [{ key: "Name", value: "a" }] });
  });

  it("is imported when it is a route, which is found by another id than its own", async () => {
    const { mend, outputs } = killed([]);
    await mend(0, [{ urn: "urn::route", type: "aws:ec2/route:Route", inputs: { routeTableId: "rtb-1" } }]);
    assert.deepEqual(outputs(), {});
  });

  it("is adopted when it takes effect a moment later: the plugin outlives its engine", async () => {
    const { mend, looked, resources } = killed([["creating", balancer]], { looks: 2 });
    await mend(60);
    assert.deepEqual([looked(), resources()], [2, ["lb-1", "lb-2"]]);
  });

  it("is done again when it was not created, was no creation, or can be created twice without harm", async () => {
    const { mend, resources } = killed(
      [
        ["creating", balancer],
        ["updating", balancer],
        ["creating", attachment],
      ],
      { ids: [] },
    );
    const { adopted, cleared } = await mend(0);
    assert.deepEqual([adopted, cleared.map(({ operation }) => operation)], [[], ["creating", "updating", "creating"]]);
    assert.deepEqual(resources(), ["lb-1"]);
  });
});
