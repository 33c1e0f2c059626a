import assert from "node:assert/strict";
import { checkMoves } from "../../../automation/doctor/moves.ts";
import { howAddressesMove } from "../../../automation/plan/moves.ts";
import { checkQuiet, wayOff, wordsOf } from "../../../automation/quiet/way.ts";
import type { LastOutputs } from "../../../stacks/outputs.ts";
import { configOf } from "../config.ts";

const servers = [
  { name: "blue-1", instanceId: "i-1" },
  { name: "blue-2", instanceId: "i-2" },
];
const reached = { unreached: async () => new Map<string, string>() };
const half = { unreached: async () => new Map([["i-2", "no agent of it has registered"]]) };
const silent = {
  unreached: async () => {
    throw new Error("AccessDeniedException");
  },
};
const { signal } = new AbortController();
const addresses = (stated: object = {}) => configOf({ upgrade: { addresses: stated } }).config.upgrade.addresses;
const held = [{ allocationId: "eipalloc-1", publicIp: "198.51.100.1", instanceId: "i-2" }];
const moved = [{ allocationId: "eipalloc-1", publicIp: "198.51.100.1", instanceId: "i-3" }];
const last = {
  outputs: { live: "blue", addresses: held, generations: { blue: { frontends: servers } } },
} as unknown as LastOutputs;

describe("The way that addresses move", () => {
  it("is quiet where Systems Manager reaches every server that one leaves", async () => {
    assert.deepEqual(await wayOff(servers, addresses(), reached), { move: "quiet" });
    assert.match(wordsOf({ move: "quiet" }, addresses()), /quietly: new connections wait .* for up to 30 s$/);
  });

  it("is direct where it does not, or does not say, and says why", async () => {
    const why = async (manager: typeof half) => wordsOf(await wayOff(servers, addresses(), manager), addresses());
    assert.match(await why(half), /cut: Systems Manager does not reach blue-2 \(no agent of it has registered\)$/);
    assert.match(await why(silent), /cut: Systems Manager does not say .* \(AccessDeniedException\)$/);
  });

  it("is direct where somebody wants it, and nothing is asked", async () => {
    assert.equal((await wayOff(servers, addresses({ move: "direct" }), silent)).move, "direct");
  });

  it("is refused where it must be quiet and cannot be, before anything is done", async () => {
    const check = (stated: object, manager: typeof half, live = "green") =>
      checkQuiet({ config: configOf({ live, upgrade: { addresses: stated } }).config, last, manager }, signal);
    await assert.rejects(
      check({ move: "quiet" }, half),
      /addresses\.move: quiet cannot be, since .* blue-2 .*leave move out/,
    );
    await assert.rejects(check({ move: "quiet" }, silent), /does not say/);
    await check({ move: "quiet" }, reached);
    await check({ move: "quiet" }, half, "blue");
    await check({}, half);
  });

  it("is told by doctor, which finds a problem only where it must be quiet and cannot be", async () => {
    const check = async (stated: object, manager: typeof half, at: LastOutputs | undefined = last) =>
      (await checkMoves(configOf({ upgrade: { addresses: stated } }).config, at, manager)).map(({ result }) => result);
    assert.deepEqual(await check({}, reached), ["ok"]);
    assert.deepEqual(await check({}, half), ["ok"]);
    assert.deepEqual(await check({ move: "quiet" }, half), ["problem"]);
    assert.deepEqual(await check({ move: "direct" }, half), ["ok"]);
    const none = { ...last, outputs: { ...last.outputs, addresses: [] } };
    assert.deepEqual(await check({ move: "quiet" }, half, none), []);
  });

  it("is part of a plan where addresses move, and of none other", async () => {
    const told = (
      stages: { addresses: typeof held }[],
      stated: object,
      manager: typeof half,
      at: LastOutputs = last,
    ) => {
      const opened = {
        config: configOf({ upgrade: { addresses: stated } }).config,
        last: at,
        manager: manager as never,
      };
      return howAddressesMove(stages, opened, signal);
    };
    const there = [{ addresses: held }, { addresses: moved }];
    assert.match((await told(there, {}, reached)).join(), /^addresses move quietly/);
    assert.match((await told(there, {}, half)).join(), /^addresses move directly.*blue-2/);
    assert.deepEqual(await told([{ addresses: held }, { addresses: held }], {}, half), []);
    assert.deepEqual(await told([{ addresses: held }], {}, half), []);
    const back = [{ addresses: moved }, { addresses: held }];
    assert.match((await told(back, {}, half)).join(), /quietly where Systems Manager reaches the new servers by then/);
    assert.match((await told(back, { move: "direct" }, half)).join(), /^addresses move directly/);
  });
});
