import pLimit from "p-limit";
import { messageOf } from "../errors.ts";
import { ask, type Question } from "../http.ts";
import type { Gate, Observation } from "./gate.ts";

export interface SmokeCheck {
  readonly path: string;
  readonly expectStatus: number;
}

/** Somebody to ask, and who must answer. */
export interface Place {
  readonly name: string;
  readonly question: Omit<Question, "path">;
  /** The generation that must answer, where the answer says so in `x-generation`. */
  readonly generation?: string;
}

const atOnce = 32;

/**
 * Every check at every place gets the expected answer.
 * @param standIn observed instead when no place can be reached from here: private addresses, from outside the VPC
 */
export function smoke(name: string, places: readonly Place[], checks: readonly SmokeCheck[], standIn?: Gate): Gate {
  return {
    name,
    async observe(signal): Promise<Observation> {
      const limit = pLimit(atOnce);
      const questions = places.flatMap((place) => checks.map((check) => ({ place, check })));
      const misses = (await limit.map(questions, (question) => missOf(question, signal))).filter(
        (miss) => miss !== undefined,
      );
      if (misses.length === 0) return { verdict: "pass", evidence: { asked: questions.length } };
      if (standIn !== undefined && misses.length === questions.length && misses.every((miss) => miss.unreachable)) {
        const { verdict, evidence } = await standIn.observe(signal);
        return { verdict, evidence: { unreachableFromHere: places.length, instead: standIn.name, evidence } };
      }
      // A server that has just started may need a moment; the deadline of the gate decides.
      return {
        verdict: "pending",
        evidence: {
          asked: questions.length,
          missed: misses.length,
          samples: misses.slice(0, 5).map(({ at, expected, answered }) => ({ at, expected, answered })),
        },
      };
    },
  };
}

interface Miss {
  readonly at: string;
  readonly expected: number | string;
  readonly answered: number | string;
  readonly unreachable?: boolean;
}

async function missOf(
  { place, check }: { place: Place; check: SmokeCheck },
  signal: AbortSignal,
): Promise<Miss | undefined> {
  const at = `${place.name}${check.path}`;
  try {
    const { status, headers } = await ask({ ...place.question, path: check.path }, signal);
    if (status !== check.expectStatus) return { at, expected: check.expectStatus, answered: status };
    const generation = headers["x-generation"];
    if (place.generation !== undefined && generation !== undefined && generation !== place.generation) {
      return { at, expected: `generation ${place.generation}`, answered: `generation ${String(generation)}` };
    }
    return undefined;
  } catch (error) {
    return { at, expected: check.expectStatus, answered: messageOf(error), unreachable: isUnreachable(error) };
  }
}

/** No route or no word back; a refused connection is an answer. */
function isUnreachable(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return ["EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT"].includes(code);
}
