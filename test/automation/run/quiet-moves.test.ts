import assert from "node:assert/strict";
import type { Document, Invocation } from "../../../automation/cloud/systems-manager.ts";
import type { Operation } from "../../../automation/engine/operation.ts";
import { GateError } from "../../../automation/gates/gate-error.ts";
import { LeaseLostError } from "../../../automation/ledger/errors.ts";
import type { Drive } from "../../../automation/run/drive.ts";
import { HeldGates } from "../../../automation/run/held-gates.ts";
import { QuietMoves } from "../../../automation/run/quiet-moves.ts";
import type { Row } from "../../../automation/runbook/rows.ts";
import { types } from "../../../stacks/names.ts";
import type { Outputs } from "../../../stacks/outputs.ts";
import { FakeSite } from "./fake-site.ts";

/** Two servers of each generation, with addresses on the old ones; what Systems Manager and AWS were asked for, in order. */
class World {
  readonly asked: string[] = [];
  readonly unreached = new Map<string, string>();
  /** What a command says by server, where it is not that nothing is in flight. */
  readonly ends = new Map<string, Partial<Invocation>>();
  /** Why nothing is known of any. */
  failure: Error | undefined;
  onMove: (instanceId: string) => void = () => {};
  onRun: (instanceId: string) => Promise<void> = async () => {};
  lost = false;
  readonly drive: Drive;
  readonly moves: QuietMoves;
  readonly outputs: Outputs;
  readonly #site: FakeSite;

  static async open(addresses: object = {}, count = 2): Promise<World> {
    return new World(await FakeSite.open({ addresses }), count);
  }

  private constructor(site: FakeSite, count: number) {
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    this.#site = site;
    const drive = site.drive();
    const { last } = drive.opened;
    assert.ok(last !== undefined);
    const { blue } = last.outputs.generations;
    assert.ok(blue !== undefined);
    const server = (generation: string, number: number) => ({
      name: `${generation}-${number}`,
      instanceId: `i-${generation}-${number}`,
      privateIp: `10.0.${generation === "blue" ? 1 : 2}.${number}`,
    });
    const generation = (name: string) => ({
      ...blue,
      port: 8080,
      frontends: numbers.map((number) => server(name, number)) as never,
    });
    this.outputs = {
      ...last.outputs,
      generations: { blue: generation("blue"), green: generation("green") },
      addresses: numbers.map((number) => ({
        allocationId: `eipalloc-${number}`,
        publicIp: `198.51.100.${number}`,
        instanceId: `i-blue-${number}`,
      })),
    };
    const manager = {
      unreached: async (ids: readonly string[]) => new Map([...this.unreached].filter(([id]) => ids.includes(id))),
      runOnEach: async (
        { parameters }: Document,
        ids: readonly string[],
        signal: AbortSignal,
        ended: (id: string, end: Invocation) => Promise<void>,
      ) => {
        const [arguments_ = ""] = parameters.commands ?? [];
        this.asked.push(`${ids.join(" ")}: ${arguments_.replace("set -- ", "")}`);
        if (this.failure !== undefined) throw this.failure;
        await Promise.all(
          ids.map(async (id, index) => {
            await this.onRun(id);
            signal.throwIfAborted();
            const address = / ([\d.,]+)/.exec(arguments_.replace(/^.*8080/, ""))?.[1]?.split(",")[index];
            const output = `${JSON.stringify({ address, established: 3, busy: 0, milliseconds: 400 })}\n`;
            await ended(id, { status: "Success", exitCode: 0, output, ...this.ends.get(id) });
          }),
        );
      },
    };
    const addressMoves = {
      blocksAround: async () => ["10.0.0.0/16"],
      move: async (allocationId: string, instanceId: string) => {
        this.onMove(instanceId);
        this.asked.push(`${allocationId} -> ${instanceId}`);
      },
    };
    const ledger = Object.assign(Object.create(drive.ledger), {
      assertHeld: () => {
        if (this.lost) throw new LeaseLostError("somebody else works on the stack");
      },
      tell: drive.ledger.tell.bind(drive.ledger),
      clean: drive.ledger.clean.bind(drive.ledger),
      redact: drive.ledger.redact.bind(drive.ledger),
    });
    const opened = { ...drive.opened, manager: manager as never, aws: { ...drive.opened.aws, addressMoves } as never };
    this.drive = { ...drive, ledger, opened };
    this.moves = new QuietMoves(this.drive, new HeldGates(drive));
  }

  /** @param to the generation to whose servers the plan moves the addresses with these numbers */
  move(row: Row, to = "green", numbers = [1, 2]): Promise<number> {
    const operations = numbers.flatMap((number): Operation[] =>
      ["create-replacement", "replace", "delete-replaced"].map((op) => {
        const name = `address-${number}`;
        return { op, urn: `urn::${name}`, type: types.eipAssociation, name, properties: ["instanceId"] };
      }),
    );
    const inputs = operations.map(({ op, name }) => {
      const number = name.split("-")[1];
      return op === "delete-replaced"
        ? undefined
        : { allocationId: `eipalloc-${number}`, instanceId: `i-${to}-${number}`, allowReassociation: true };
    });
    return this.moves.move(row, { operations, inputs }, this.outputs);
  }

  get evidence(): unknown {
    const gates = this.#site.told.filter((event) => event.type === "gate");
    return gates.at(-1)?.evidence;
  }

  get warnings(): string[] {
    return this.#site.told.flatMap((event) => (event.type === "warning" ? [event.message] : []));
  }

  back(): void {
    const { outputs } = this;
    Object.assign(this, {
      outputs: {
        ...outputs,
        addresses: outputs.addresses.map((each) => ({ ...each, instanceId: each.instanceId.replace("blue", "green") })),
      },
    });
  }

  close(): void {
    this.#site.close();
  }
}

const closed = (id: string, address: string) => `${id}: close 8080 ${address} 10.0.0.0/16 30 60`;

describe("Moves of addresses", () => {
  let world: World;
  afterEach(() => world.close());

  it("come when the server has answered what is in flight, and before the engine's", async () => {
    world = await World.open();
    await world.move("move-addresses", "green", [1]);
    assert.deepEqual(world.asked, [closed("i-blue-1", "10.0.1.1"), "eipalloc-1 -> i-green-1"]);
    const { quietMilliseconds, ...evidence } =
      (world.evidence as Record<string, Record<string, unknown>>)["198.51.100.1"] ?? {};
    assert.equal(typeof quietMilliseconds, "number");
    assert.deepEqual(evidence, { from: "blue-1", to: "green-1", move: "quiet", established: 3, busy: 0 });
    assert.deepEqual(world.warnings, []);
  });

  it("of many servers wait for none but their own, and are asked for with one command", async () => {
    const numbers = Array.from({ length: 30 }, (_, index) => index + 1);
    world = await World.open({}, numbers.length);
    let left = numbers.length - 1;
    const others = Promise.withResolvers<void>();
    world.onMove = () => {
      if (--left === 0) others.resolve();
    };
    world.onRun = async (id) => {
      if (id === "i-blue-1") await others.promise;
    };
    await world.move("move-addresses", "green", numbers);
    assert.equal(world.asked.at(-1), "eipalloc-1 -> i-green-1");
    const moved = numbers.map((number) => `eipalloc-${number} -> i-green-${number}`);
    const servers = numbers.map((number) => `i-blue-${number}`).join(" ");
    const quieted = closed(servers, numbers.map((number) => `10.0.1.${number}`).join(","));
    assert.deepEqual(world.asked.toSorted(), [...moved, quieted].toSorted());
  });

  it("do nothing where an update moves no address", async () => {
    world = await World.open();
    assert.equal(await world.move("move-addresses", "blue"), 0);
    assert.equal(await world.move("drain", "green", []), 0);
    assert.deepEqual(world.asked, []);
  });

  it("are left to the engine where Systems Manager does not reach a server, which is told", async () => {
    world = await World.open();
    world.unreached.set("i-blue-2", "no agent of it has registered");
    await world.move("move-addresses");
    assert.deepEqual(world.asked, []);
    assert.match(
      world.warnings.join(),
      /cut: Systems Manager does not reach blue-2 \(no agent of it has registered\)$/,
    );
    assert.match(
      JSON.stringify(world.evidence),
      /"198.51.100.1":\{"from":"blue-1","to":"green-1","move":"direct","why":"Systems/,
    );
  });

  it("are left to the engine where they are to be direct, and nothing is asked", async () => {
    world = await World.open({ move: "direct" });
    await world.move("move-addresses");
    await world.move("withdraw");
    assert.deepEqual([world.asked, world.warnings], [[], []]);
    assert.match(JSON.stringify(world.evidence), /handover:upgrade\.addresses\.move says so/);
  });

  it("pause the run where they must be quiet and cannot", async () => {
    world = await World.open({ move: "quiet" });
    world.unreached.set("i-blue-2", "its agent is ConnectionLost");
    await assert.rejects(world.move("move-addresses"), (error) => error instanceof GateError && error.inconclusive);
    assert.deepEqual(world.asked, []);
  });

  for (const [what, end] of Object.entries<Partial<Invocation>>({
    failed: { status: "Failed", output: "quiet-move: this server has no ss" },
    "did not end": { status: "TimedOut", output: "" },
    "said something else": { output: "hello" },
    "could not be sent": { status: "InvalidInstanceId", output: "Instances not in a valid state" },
  })) {
    it(`are direct, one by one, where the command on a server ${what}`, async () => {
      world = await World.open();
      world.ends.set("i-blue-2", end);
      await world.move("move-addresses");
      assert.ok(world.asked.includes("eipalloc-1 -> i-green-1"));
      assert.ok(!world.asked.includes("eipalloc-2 -> i-green-2"));
      assert.match(world.warnings.join(), /^move-addresses: 198\.51\.100\.2 moves directly/);
    });

    it(`pause where they must be quiet and the command ${what}, and new connections are let in again`, async () => {
      world = await World.open({ move: "quiet", quietSeconds: 5 });
      world.ends.set("i-blue-2", end);
      await assert.rejects(world.move("move-addresses"), (error) => error instanceof GateError && error.inconclusive);
      await world.moves.open();
      const opened = "i-blue-1 i-blue-2: open 8080 10.0.1.1,10.0.1.2";
      assert.ok(world.asked.includes(opened), world.asked.join());
    });
  }

  it("are direct, all of them, where Systems Manager does not answer", async () => {
    world = await World.open();
    world.failure = new Error("read ECONNRESET");
    await world.move("move-addresses");
    assert.ok(world.asked.every((each) => !each.includes("->")));
    assert.equal(world.warnings.filter((each) => /moves directly.*read ECONNRESET/.test(each)).length, 2);
  });

  it("say that requests were in flight when the time was over", async () => {
    world = await World.open({ quietSeconds: 1 });
    world.ends.set("i-blue-1", {
      output: JSON.stringify({ address: "10.0.1.1", established: 4, busy: 2, milliseconds: 1010 }),
    });
    await world.move("move-addresses");
    assert.match(world.warnings.join(), /^move-addresses: 198\.51\.100\.1 moved with 2 requests in flight, since 1 s/);
    assert.ok(world.asked.includes("eipalloc-1 -> i-green-1"));
  });

  it("are not begun by a driver that lost its lease", async () => {
    world = await World.open();
    world.lost = true;
    await assert.rejects(world.move("move-addresses"), LeaseLostError);
    assert.ok(
      world.asked.every((each) => !each.includes("->")),
      world.asked.join(),
    );
  });

  it("let new connections in where the addresses come back to, before they do", async () => {
    world = await World.open();
    await world.move("move-addresses", "green", [1]);
    world.back();
    world.asked.length = 0;
    await world.move("withdraw", "blue", [1]);
    assert.deepEqual(world.asked, [
      "i-blue-1: open 8080 10.0.1.1",
      closed("i-green-1", "10.0.2.1"),
      "eipalloc-1 -> i-blue-1",
    ]);
  });

  it("do not wait for Systems Manager on the way back", async () => {
    world = await World.open({ move: "quiet" });
    world.back();
    for (const name of ["i-green-1", "i-green-2"]) world.unreached.set(name, "its agent is ConnectionLost");
    world.failure = new Error("EHOSTUNREACH");
    await world.move("withdraw", "blue");
    assert.ok(
      world.asked.every((each) => !each.includes("->")),
      world.asked.join(),
    );
    assert.match(world.warnings.join(), /^withdraw: addresses move directly/);
  });

  it("let new connections in on servers that have lost their addresses, once", async () => {
    world = await World.open();
    await world.move("move-addresses", "green", [1]);
    await world.moves.open();
    await world.moves.open();
    assert.deepEqual(world.asked.slice(2), ["i-blue-1: open 8080 10.0.1.1"]);
  });

  it("say for how long new connections may be held back where they cannot be let in", async () => {
    world = await World.open();
    await world.move("move-addresses", "green", [1]);
    world.failure = new Error("EHOSTUNREACH");
    await world.moves.open();
    await world.moves.open();
    assert.equal(world.warnings.length, 1);
    assert.match(world.warnings.join(), /^blue-1 may not let new connections in through its Elastic IP for \d+ s yet/);
  });
});
