import assert from "node:assert/strict";
import { Simulation } from "../../provider/simulation.ts";

const urn = (token: string, name: string) => `urn:pulumi:test::handover::${token}::${name}`;

describe("the provider of an imagined cloud", () => {
  // Not configured: whatever asked a cloud would fail.
  const provider = new Simulation();
  const group = { urn: urn("aws:lb/targetGroup:TargetGroup", "green") };

  it("answers a creation with the inputs, defaults, and placeholders for what only AWS can tell", async () => {
    const inputs = { port: 8080, protocol: "HTTP", vpcId: "vpc-1", name: "green-1234567" };
    const { id, state } = await provider.create(group, inputs);
    assert.match(id, /^sim-[0-9a-f]{17}$/);
    assert.match(String(state.arn), /^sim-/);
    assert.equal(state.port, 8080);
    assert.deepEqual(await provider.create(group, inputs), { id, inputs, state });
    assert.notEqual((await provider.create(group, { ...inputs, port: 8081 })).id, id);
  });

  it("finds no difference between what it imagined and the same program", async () => {
    const inputs = { port: 8080, protocol: "HTTP", vpcId: "vpc-1", name: "green-1234567" };
    const { id, state } = await provider.create(group, inputs);
    assert.deepEqual(provider.diff(group, id, inputs, state, inputs).differences, []);
  });

  it("answers an update with what the resource was and the new inputs", async () => {
    const inputs = { port: 8080, protocol: "HTTP", vpcId: "vpc-1", name: "green-1234567" };
    const { id, state } = await provider.create(group, inputs);
    const updated = await provider.update(group, id, { inputs, state }, { ...inputs, deregistrationDelay: 7 });
    assert.equal(updated.deregistrationDelay, 7);
    assert.equal(updated.arn, state.arn);
  });

  it("deletes nothing, and finds what it imagined", async () => {
    await provider.delete();
    assert.deepEqual(await provider.read(group, "sim-1", { a: "1" }, { b: "2" }), {
      id: "sim-1",
      inputs: { a: "1" },
      state: { b: "2" },
    });
  });
});
