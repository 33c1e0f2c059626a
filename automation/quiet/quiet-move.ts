import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Document } from "../cloud/systems-manager.ts";

/** The documents that run quiet-move.sh on servers, and what it says. */

/** Time for the move itself, after the last of what is in flight: then the rule ends by itself. */
const moveSeconds = 30;
/** Time for Systems Manager to begin and to tell the end. */
const deliverySeconds = 15;

/** Servers that addresses leave, and what is to be held back there. */
export interface Quiet {
  /** Private addresses of the servers: each takes its own for meant. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** CIDR blocks of their VPC. */
  readonly blocks: readonly string[];
  readonly quietSeconds: number;
}

const whole = z.number().int().nonnegative();

/** The connections of an address when its wait was over. */
const left = z.object({
  address: z.ipv4(),
  /** Connections that were established, idle ones too. */
  established: whole,
  /** Those of them with a request in flight. */
  busy: whole,
  /** How long new ones had been held back. */
  milliseconds: whole,
});
export type Left = Readonly<z.infer<typeof left>>;

/** Time in which Systems Manager must answer: meanwhile new connections wait. */
const answerSeconds = 5;

/** The rule's end, at the latest, after a server was asked for it, in seconds. */
export function closedSeconds({ quietSeconds }: Pick<Quiet, "quietSeconds">): number {
  return quietSeconds + moveSeconds + deliverySeconds;
}

/** Holds new connections back, and ends when what is in flight has been answered. */
export function closing({ addresses, port, blocks, quietSeconds }: Quiet): Document {
  const timer = quietSeconds + moveSeconds;
  const words = [port, list(addresses, z.ipv4()), list(blocks, z.cidrv4()), quietSeconds, timer];
  return {
    ...script("close", words),
    timeoutSeconds: quietSeconds + deliverySeconds,
    everySeconds: 0.2,
    answerSeconds,
  };
}

/** Lets new connections in again. */
export function opening({ addresses, port }: Pick<Quiet, "addresses" | "port">): Document {
  return {
    ...script("open", [port, list(addresses, z.ipv4())]),
    timeoutSeconds: deliverySeconds,
    everySeconds: 0.5,
    answerSeconds,
  };
}

/** What a server said of each of its addresses; undefined where it is not that. */
export function leftIn(output: string): readonly Left[] | undefined {
  // Standard error follows standard output.
  const lines = output.split("\n").filter((line) => line.startsWith("{"));
  try {
    return lines.map((line) => left.parse(JSON.parse(line)));
  } catch {
    return undefined;
  }
}

/** Nothing but numbers, addresses and blocks becomes part of a command: each is one, or this is refused. */
function list(values: readonly string[], kind: z.ZodType<string>): string {
  return values.map((value) => kind.parse(value)).join(",");
}

function script(mode: "close" | "open", words: readonly (string | number)[]): Pick<Document, "name" | "parameters"> {
  const text = readFileSync(new URL("quiet-move.sh", import.meta.url), "utf8");
  const commands = [`set -- ${[mode, ...words].join(" ")}`, ...text.split("\n")];
  return { name: "AWS-RunShellScript", parameters: { commands } };
}
