import { setTimeout as sleep } from "node:timers/promises";
import { types } from "../../stacks/names.ts";
import type { Frontend, Outputs } from "../../stacks/outputs.ts";
import { isPhase } from "../../stacks/runbook.ts";
import type { Invocation } from "../cloud/systems-manager.ts";
import { secondsSince } from "../elapsed.ts";
import type { Plan } from "../engine/plan.ts";
import { messageOf } from "../errors.ts";
import type { Evidence, GateResult } from "../gates/gate.ts";
import { GateError } from "../gates/gate-error.ts";
import { closedSeconds, closing, type Left, leftIn, opening, type Quiet } from "../quiet/quiet-move.ts";
import { movesGate, wayOff, wordsOf } from "../quiet/way.ts";
import type { Row } from "../runbook/rows.ts";
import type { Drive } from "./drive.ts";
import type { HeldGates } from "./held-gates.ts";

type Server = Frontend & { readonly port: number };

/** An Elastic IP that an update moves. */
interface Move {
  readonly allocationId: string;
  readonly publicIp: string;
  readonly from: Server;
  readonly to: Server;
}

/** A server, and the addresses that leave it. */
interface Leaving {
  readonly from: Server;
  readonly moves: readonly Move[];
}

/** A server whose new connections are held back. */
interface Closed {
  readonly server: Server;
  /** When its timer has let them in again, by the clock of `performance.now()`. */
  readonly until: number;
  /** When its addresses had left, by the same clock; undefined before. */
  readonly leftAt?: number;
}

/** By then, in seconds, clients have learned of a move: AWS does not say when they have. */
const knownSeconds = 10;

/** How an address moved: quietly, or why not. */
type Moved = { readonly quietMilliseconds: number; readonly left: Left | undefined } | { readonly why: string };

/**
 * Moves the Elastic IPs of an update quietly, where that can be: each as soon as its own server has answered what is in
 * flight. The engine, which would take seconds to begin, then finds them where its plan has them.
 *
 * The rules on the servers that addresses have left stay until the move is proven, since some clients learn of it late, and
 * no longer: somebody may give such a server its address back by hand. Their timers end them where nobody else does.
 */
export class QuietMoves {
  readonly #drive: Drive;
  readonly #gates: HeldGates;
  /** By instance id. */
  readonly #closed = new Map<string, Closed>();
  /** Those that were told to let new connections in: where that fails, their timers are waited for no second time. */
  readonly #tried = new Set<Server>();

  constructor(drive: Drive, gates: HeldGates) {
    this.#drive = drive;
    this.#gates = gates;
  }

  /**
   * Moves what the plan moves. What cannot move quietly is left to the engine, and told.
   * @returns how long that took, in seconds
   * @throws GateError, inconclusive, where a phase must be quiet and cannot
   */
  async move(row: Row, plan: Pick<Plan, "operations" | "inputs">, outputs: Outputs): Promise<number> {
    const moves = movesOf(plan, outputs);
    if (moves.length === 0) return 0;
    const started = performance.now();
    const { config, manager } = this.#drive.opened;
    const { addresses } = config.upgrade;
    const mustBeQuiet = isPhase(row) && addresses.move === "quiet";
    const servers = moves.map(({ from }) => from);
    const [way] = await Promise.all([
      wayOff(servers, addresses, manager, this.#gates.signal),
      // On the way back addresses come to servers that they may just have left quietly.
      ...(isPhase(row) || addresses.move === "direct" ? [] : [this.#letIn(moves.map(({ to }) => to))]),
    ]);
    const result = (verdict: GateResult["verdict"], evidence: Evidence) => {
      const results = this.#gates.tell(row, [{ gate: movesGate, verdict, evidence, seconds: secondsSince(started) }]);
      if (verdict !== "pass") throw new GateError(row, results);
    };
    if (way.move === "direct") {
      if (mustBeQuiet) result("inconclusive", { why: way.why });
      if (addresses.move !== "direct") this.#warn(`${row}: ${wordsOf(way, addresses)}`);
      result("pass", evidenceOf(moves, new Map(moves.map(({ allocationId }) => [allocationId, { why: way.why }]))));
      return secondsSince(started);
    }
    const moved = await this.#quietly(moves);
    const evidence = evidenceOf(moves, moved);
    const loud = moves.filter(({ allocationId }) => "why" in (moved.get(allocationId) ?? {}));
    if (loud.length > 0 && mustBeQuiet) result("inconclusive", evidence);
    for (const { publicIp, allocationId } of loud)
      this.#warn(
        `${row}: ${publicIp} moves directly, and what is in flight through it is cut: ${whyOf(moved.get(allocationId))}`,
      );
    for (const { publicIp, allocationId } of moves) {
      const { left } = { left: undefined, ...moved.get(allocationId) };
      if (left !== undefined && left.busy > 0 && left.milliseconds >= addresses.quietSeconds * 1000)
        this.#warn(
          `${row}: ${publicIp} moved with ${left.busy} requests in flight, since ${addresses.quietSeconds} s (handover:upgrade.addresses.quietSeconds) were over`,
        );
    }
    result("pass", evidence);
    return secondsSince(started);
  }

  /** Lets new connections in again where addresses have left for so long that nobody comes there any more. */
  async openLeft(): Promise<void> {
    const earlier = performance.now() - knownSeconds * 1000;
    await this.#open(({ leftAt = Number.POSITIVE_INFINITY }) => leftAt < earlier);
  }

  /** Lets new connections in again, where they may be held back: an address may not have left, or may come back. */
  async open(): Promise<void> {
    await this.#open(() => true);
  }

  async #open(isMeant: (closed: Closed) => boolean): Promise<void> {
    const now = performance.now();
    const closed = [...this.#closed.values()].filter(
      (each) => each.until > now && !this.#tried.has(each.server) && isMeant(each),
    );
    for (const { server } of closed) this.#tried.add(server);
    const opened = await this.#opened(closed.map(({ server }) => server));
    for (const { server, until } of closed) {
      if (opened.has(server.instanceId)) continue;
      const seconds = Math.ceil((until - performance.now()) / 1000);
      this.#warn(
        `${server.name} may not let new connections in through its Elastic IP for ${seconds} s yet: its timer ends that`,
      );
    }
  }

  async #quietly(moves: readonly Move[]): Promise<Map<string, Moved>> {
    const { aws } = this.#drive.opened;
    const { signal } = this.#gates;
    const moved = new Map<string, Moved>();
    const all = (each: readonly Move[], why: string) =>
      each.map(({ allocationId }) => moved.set(allocationId, { why }));
    const servers = [...Map.groupBy(moves, ({ from }) => from.instanceId).values()].map(
      (own): Leaving => ({ from: (own[0] as Move).from, moves: own }),
    );
    let blocks: readonly string[];
    try {
      blocks = await aws.addressMoves.blocksAround(moves[0]?.from.instanceId ?? "", signal);
    } catch (error) {
      signal.throwIfAborted();
      all(moves, messageOf(error));
      return moved;
    }
    const byPort = Map.groupBy(servers, ({ from }) => from.port);
    await Promise.all([...byPort].map(([port, own]) => this.#leave(port, own, blocks, moved)));
    return moved;
  }

  /** All addresses that leave servers with one port, those of each as soon as its own has answered what is in flight. */
  async #leave(
    port: number,
    servers: readonly Leaving[],
    blocks: readonly string[],
    moved: Map<string, Moved>,
  ): Promise<void> {
    const { opened } = this.#drive;
    const { signal } = this.#gates;
    const { quietSeconds } = opened.config.upgrade.addresses;
    const started = performance.now();
    const quiet: Quiet = { addresses: servers.map(({ from }) => from.privateIp), port, blocks, quietSeconds };
    const until = started + closedSeconds(quiet) * 1000;
    for (const { from } of servers) this.#closed.set(from.instanceId, { server: from, until });
    const left = new Map(servers.map((server) => [server.from.instanceId, server]));
    const failures: unknown[] = [];
    try {
      await opened.manager.runOnEach(closing(quiet), [...left.keys()], signal, async (id, end) => {
        const server = left.get(id);
        left.delete(id);
        if (server === undefined) return;
        await this.#moveOff(server, end, started, moved).catch((error) => failures.push(error));
        this.#closed.set(id, { server: server.from, until, leftAt: performance.now() });
      });
    } catch (error) {
      signal.throwIfAborted();
      for (const { moves } of left.values())
        for (const { allocationId } of moves) moved.set(allocationId, { why: messageOf(error) });
    }
    if (failures.length > 0) throw failures[0];
  }

  async #moveOff({ from, moves }: Leaving, end: Invocation, started: number, moved: Map<string, Moved>): Promise<void> {
    const { opened, ledger } = this.#drive;
    const { signal } = this.#gates;
    const { status, output } = end;
    const left = status === "Success" ? leftIn(output)?.find(({ address }) => address === from.privateIp) : undefined;
    if (left === undefined) {
      const said = output.trim().split("\n").at(-1) ?? "";
      const why = `the command that holds new connections back ended with ${status}${said === "" ? "" : `: ${said}`}`;
      for (const { allocationId } of moves) moved.set(allocationId, { why });
      return;
    }
    for (const { allocationId, to } of moves) {
      signal.throwIfAborted();
      ledger.assertHeld();
      try {
        await opened.aws.addressMoves.move(allocationId, to.instanceId, signal);
        moved.set(allocationId, { quietMilliseconds: Math.round(performance.now() - started), left });
      } catch (error) {
        signal.throwIfAborted();
        moved.set(allocationId, { why: `it was held back, and could not be moved at once: ${messageOf(error)}` });
      }
    }
  }

  /** Whoever gets an address lets new connections in. One that may not is waited for: its timer is what is left. */
  async #letIn(servers: readonly Server[]): Promise<void> {
    const each = [...new Map(servers.map((server) => [server.instanceId, server])).values()];
    const opened = await this.#opened(each);
    await Promise.all(
      each.map(async ({ instanceId, name }) => {
        const { until = 0 } = this.#closed.get(instanceId) ?? {};
        const seconds = Math.ceil((until - performance.now()) / 1000);
        if (opened.has(instanceId) || seconds <= 0) return;
        this.#warn(`${name} may hold new connections back for ${seconds} s yet, and is waited for`);
        await sleep(Math.max(0, until - performance.now()), undefined, { signal: this.#gates.signal });
      }),
    );
  }

  /** @returns ids of those of which that is known. It is tried also when a run was told to stop. */
  async #opened(servers: readonly Server[]): Promise<ReadonlySet<string>> {
    const { manager } = this.#drive.opened;
    const opened = new Set<string>();
    const byPort = Map.groupBy(servers, ({ port }) => port);
    await Promise.all(
      [...byPort].map(async ([port, own]) => {
        const document = opening({ addresses: own.map(({ privateIp }) => privateIp), port });
        const signal = AbortSignal.timeout(document.timeoutSeconds * 1000);
        const ids = own.map(({ instanceId }) => instanceId);
        const ended = async (id: string, { status }: Invocation) => {
          if (status !== "Success") return;
          opened.add(id);
          this.#closed.delete(id);
        };
        await manager.runOnEach(document, ids, signal, ended).catch(() => undefined);
      }),
    );
    return opened;
  }

  #warn(message: string): void {
    const { ledger } = this.#drive;
    ledger.tell({ type: "warning", message: ledger.redact(message) });
  }
}

/** The addresses that a plan moves from one server to another, both of which are there. */
function movesOf({ operations, inputs }: Pick<Plan, "operations" | "inputs">, outputs: Outputs): Move[] {
  const servers = new Map(
    Object.values(outputs.generations).flatMap(({ frontends, port }) =>
      frontends.map((frontend): [string, Server] => [frontend.instanceId, { ...frontend, port }]),
    ),
  );
  const moves = operations.flatMap(({ type, op }, index): Move[] => {
    const { allocationId, instanceId } = inputs[index] ?? {};
    if (type !== types.eipAssociation || op.startsWith("delete")) return [];
    const held = outputs.addresses.find((address) => address.allocationId === allocationId);
    const [from, to] = [servers.get(held?.instanceId ?? ""), servers.get(String(instanceId))];
    if (held === undefined || from === undefined || to === undefined || from === to) return [];
    return [{ allocationId: held.allocationId, publicIp: held.publicIp, from, to }];
  });
  // The engine tells a replacement in several steps.
  return [...new Map(moves.map((move) => [move.allocationId, move])).values()];
}

function evidenceOf(moves: readonly Move[], moved: ReadonlyMap<string, Moved>): Evidence {
  const each = moves.map(({ publicIp, allocationId, from, to }) => {
    const how = moved.get(allocationId) ?? { why: "it was not begun" };
    const between = { from: from.name, to: to.name };
    if ("why" in how) return [publicIp, { ...between, move: "direct", why: how.why }];
    const { established, busy } = how.left ?? {};
    return [publicIp, { ...between, move: "quiet", quietMilliseconds: how.quietMilliseconds, established, busy }];
  });
  return Object.fromEntries(each);
}

function whyOf(moved: Moved | undefined): string {
  return moved !== undefined && "why" in moved ? moved.why : "";
}
