import { setTimeout as sleep } from "node:timers/promises";
import { types } from "../../stacks/names.ts";
import type { Frontend, Outputs } from "../../stacks/outputs.ts";
import { isPhase } from "../../stacks/runbook.ts";
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

/** As many servers are quieted at a time: Systems Manager is asked about each, several times a second. */
const atOnce = 10;

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
    await Promise.all(
      closed.map(async ({ server, until }) => {
        this.#tried.add(server);
        if (await this.#opened(server)) return;
        const seconds = Math.ceil((until - performance.now()) / 1000);
        this.#warn(
          `${server.name} may not let new connections in through its Elastic IP for ${seconds} s yet: its timer ends that`,
        );
      }),
    );
  }

  async #quietly(moves: readonly Move[]): Promise<Map<string, Moved>> {
    const { aws } = this.#drive.opened;
    const { signal } = this.#gates;
    const moved = new Map<string, Moved>();
    const all = (each: readonly Move[], why: string) =>
      each.map(({ allocationId }) => moved.set(allocationId, { why }));
    const servers = [...Map.groupBy(moves, ({ from }) => from.instanceId).values()];
    let blocks: readonly string[];
    try {
      blocks = await aws.addressMoves.blocksAround(moves[0]?.from.instanceId ?? "", signal);
    } catch (error) {
      signal.throwIfAborted();
      all(moves, messageOf(error));
      return moved;
    }
    for (let index = 0; index < servers.length; index += atOnce)
      await Promise.all(servers.slice(index, index + atOnce).map((own) => this.#leave(own, blocks, moved)));
    return moved;
  }

  /** All addresses of one server. */
  async #leave(moves: readonly Move[], blocks: readonly string[], moved: Map<string, Moved>): Promise<void> {
    const { opened, ledger } = this.#drive;
    const { signal } = this.#gates;
    const { from } = moves[0] as Move;
    const started = performance.now();
    const { quietSeconds } = opened.config.upgrade.addresses;
    const quiet: Quiet = { addresses: [from.privateIp], port: from.port, blocks, quietSeconds };
    const closed = { server: from, until: started + closedSeconds(quiet) * 1000 };
    this.#closed.set(from.instanceId, closed);
    const left = await this.#close(from, quiet);
    signal.throwIfAborted();
    for (const { allocationId, to } of moves) {
      if ("why" in left) {
        moved.set(allocationId, left);
        continue;
      }
      ledger.assertHeld();
      try {
        await opened.aws.addressMoves.move(allocationId, to.instanceId, signal);
        const quietMilliseconds = Math.round(performance.now() - started);
        moved.set(allocationId, {
          quietMilliseconds,
          left: left.found.find(({ address }) => address === from.privateIp),
        });
      } catch (error) {
        signal.throwIfAborted();
        moved.set(allocationId, { why: `it was held back, and could not be moved at once: ${messageOf(error)}` });
      }
    }
    this.#closed.set(from.instanceId, { ...closed, leftAt: performance.now() });
  }

  async #close(
    { instanceId }: Server,
    quiet: Quiet,
  ): Promise<{ readonly found: readonly Left[] } | { readonly why: string }> {
    const { manager } = this.#drive.opened;
    const { signal } = this.#gates;
    try {
      const ends = await manager.run(closing(quiet), [instanceId], signal);
      const { status = "Missing", output = "" } = ends.get(instanceId) ?? {};
      const found = status === "Success" ? leftIn(output) : undefined;
      if (found?.length === quiet.addresses.length) return { found };
      const said = output.trim().split("\n").at(-1) ?? "";
      return {
        why: `the command that holds new connections back ended with ${status}${said === "" ? "" : `: ${said}`}`,
      };
    } catch (error) {
      signal.throwIfAborted();
      return { why: messageOf(error) };
    }
  }

  /** Whoever gets an address lets new connections in. One that may not is waited for: its timer is what is left. */
  async #letIn(servers: readonly Server[]): Promise<void> {
    const each = new Map(servers.map((server) => [server.instanceId, server])).values();
    await Promise.all(
      [...each].map(async (server) => {
        const { until = 0 } = this.#closed.get(server.instanceId) ?? {};
        const seconds = Math.ceil((until - performance.now()) / 1000);
        if ((await this.#opened(server)) || seconds <= 0) return;
        this.#warn(`${server.name} may hold new connections back for ${seconds} s yet, and is waited for`);
        await sleep(Math.max(0, until - performance.now()), undefined, { signal: this.#gates.signal });
      }),
    );
  }

  /** @returns whether that is known. It is tried also when a run was told to stop. */
  async #opened(server: Server): Promise<boolean> {
    const document = opening({ addresses: [server.privateIp], port: server.port });
    const { manager } = this.#drive.opened;
    try {
      const signal = AbortSignal.timeout(document.timeoutSeconds * 1000);
      const ends = await manager.run(document, [server.instanceId], signal);
      if (ends.get(server.instanceId)?.status !== "Success") return false;
      this.#closed.delete(server.instanceId);
      return true;
    } catch {
      return false;
    }
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
