import assert from "node:assert/strict";
import { lookup } from "node:dns/promises";
import { balancerPort, forward, get, group, until, World } from "./world.ts";
import "../../../sandbox/resolve.mjs";

describe("a load balancer of several nodes", () => {
  let world: World;
  /** Delays of the nodes, in the order in which they are told of something, as a share of the longest. */
  let delays: number[];

  beforeEach(async () => {
    delays = [];
    world = await World.start({ random: () => delays.shift() ?? 0, balancerLagMilliseconds: 60_000 });
  });
  afterEach(() => world.stop());

  const addresses = () => [1, 2].map((last) => world.balancerHost.replace(/1$/, String(last)));
  const balancer = (weights: Record<string, number>) => ({
    ...world.balancer(forward(weights)),
    addresses: addresses(),
  });
  const state = (weights: Record<string, number>) => ({
    instances: [
      world.instance(1, { HANDOVER_GENERATION: "blue" }),
      world.instance(2, { HANDOVER_GENERATION: "green" }),
    ],
    targetGroups: [group("blue", ["i-1"]), group("green", ["i-2"])],
    loadBalancers: [balancer(weights)],
  });
  const servers = () => Promise.all(addresses().map(async (address) => (await get(address, balancerPort)).server));

  it("answers on each, and a node that is late goes by what it knows", async () => {
    await world.apply(state({ blue: 1, green: 0 }));
    await until(async () => (await servers()).every((server) => server === "i-1"), "both nodes serve blue");
    // The first node learns of the listener's new rules at once, the second in a minute.
    delays = [0, 1];
    await world.apply(state({ blue: 0, green: 1 }));
    await until(async () => (await servers())[0] === "i-2", "the first node serves green");
    assert.deepEqual(await servers(), ["i-2", "i-1"]);
  });

  it("has a healthy target when every node has found it healthy, and not before", async () => {
    // Groups and listener of the first node, then of the second, which learns of blue's target in a minute.
    delays = [0, 0, 0, 1, 0, 0];
    await world.apply(state({ blue: 1, green: 1 }));
    await world.healthOf("i-2", "healthy", "green");
    const last = world.reports.findLast(({ instanceId }) => instanceId === "i-1");
    assert.notEqual(last?.state, "healthy");
  });

  it("has a name of which every node's address is known", async () => {
    const found = await lookup("n6-127-144-0-1.elb.localhost", { all: true });
    const expected = [1, 2, 3, 4, 5, 6].map((last) => `127.144.0.${last}`);
    assert.deepEqual(found.map(({ address }) => address).sort(), expected);
  });
});
