import pLimit from "p-limit";
import { type HttpCheck, headersOf } from "../../stacks/config/checks.ts";
import { addressesOf, ask, type Question } from "../cloud/http.ts";
import { isUnreachable } from "../cloud/not-seen.ts";
import { messageOf } from "../errors.ts";
import { type Difference, differenceOf } from "./expectation.ts";
import type { Gate, Observation } from "./gate.ts";

/** Somebody to ask, and who must answer. */
export interface Place {
  readonly name: string;
  readonly question: Pick<Question, "protocol" | "address" | "name" | "port" | "host">;
  /** The generation that must answer, where the answer says so in `x-generation`. */
  readonly generation?: string;
}

export interface SmokeOptions {
  /** Ask every address that a place's name has now, a load balancer's nodes, each by itself. Default: false. */
  readonly onEveryNode?: boolean;
  /** Observed instead when no place can be reached from here: private addresses, from outside the VPC. */
  readonly standIn?: Gate;
  /** Whether an answer counts, by who gave it; undefined where it does not say so. Default: every answer does. */
  readonly counts?: (check: HttpCheck, generation: string | undefined) => boolean;
  /** Takes secrets out of what is quoted. Default: nothing is taken out. */
  readonly redact?: (text: string) => string;
}

const atOnce = 64;

/** Every check at every place gets the expected answer, as often in a row as it says. */
export function smoke(
  name: string,
  places: readonly Place[],
  checks: readonly HttpCheck[],
  { onEveryNode = false, standIn, counts = () => true, redact = (text) => text }: SmokeOptions = {},
): Gate {
  return {
    name,
    async observe(signal): Promise<Observation> {
      const limit = pLimit(atOnce);
      const asked = onEveryNode ? (await Promise.all(places.map(nodesOf))).flat() : places;
      const questions = asked.flatMap((place) => checks.map((check) => ({ place, check })));
      const found = (await limit.map(questions, (question) => missOf(question, redact, signal))).filter(
        (miss) => miss !== undefined,
      );
      const misses = found.filter(({ check, answeredBy }) => counts(check, answeredBy));
      const notCounted = found.length - misses.length;
      if (misses.length === 0)
        return { verdict: "pass", evidence: { asked: questions.length, ...(notCounted > 0 && { notCounted }) } };
      if (standIn !== undefined && misses.length === questions.length && misses.every((miss) => miss.unreachable)) {
        const { verdict, evidence } = await standIn.observe(signal);
        return { verdict, evidence: { unreachableFromHere: places.length, instead: standIn.name, evidence } };
      }
      // A server that has just started may need a moment; the deadline of the gate decides.
      return {
        verdict: "pending",
        // Another generation's answer, from a node that learns of a change late, says nothing about this one, and what
        // could not be asked from here says nothing of anybody.
        unproven: misses.every((miss) => miss.otherGeneration || miss.unreachable),
        ...(misses.every((miss) => miss.unreachable) && { notSeen: "unreachable" }),
        evidence: {
          asked: questions.length,
          missed: misses.length,
          samples: misses.slice(0, 5).map(({ at, expected, answered }) => ({ at, expected, answered })),
        },
      };
    },
  };
}

export interface Miss extends Difference {
  readonly at: string;
  readonly check: HttpCheck;
  /** The generation that gave the answer, where it says so. */
  readonly answeredBy?: string | undefined;
  /** Nobody answered, or with a 5xx. */
  readonly failed?: boolean;
  readonly unreachable?: boolean;
  readonly otherGeneration?: boolean;
}

/** A place's name as it is now: every address by itself. */
export async function nodesOf(place: Place): Promise<Place[]> {
  const addresses = await addressesOf(place.question.address);
  const { address: name } = place.question;
  return addresses.map((address) => ({ ...place, question: { ...place.question, address, name } }));
}

/** The first miss, if there is one, among as many questions in a row as the check wants passed. */
export async function missOf(
  { place, check }: { readonly place: Place; readonly check: HttpCheck },
  redact: (text: string) => string,
  signal: AbortSignal,
): Promise<Miss | undefined> {
  const { path, method, timeoutSeconds, tls } = check;
  const question = { ...place.question, path, method, headers: headersOf(check), timeoutSeconds, tls };
  const at = `${place.name}${path}`;
  for (let pass = 0; pass < check.passes; pass++) {
    try {
      const answer = await ask(question, signal);
      const answeredBy = answer.headers["x-generation"]?.toString();
      const other = otherGeneration(place, answeredBy);
      if (other !== undefined) return { at, check, answeredBy, ...other, otherGeneration: true };
      const difference = differenceOf(check, answer, redact);
      if (difference !== undefined) return { at, check, answeredBy, failed: answer.status >= 500, ...difference };
    } catch (error) {
      // Not asked to the end: no evidence.
      signal.throwIfAborted();
      const unreachable = isUnreachable(error);
      const answered = messageOf(error);
      return { at, check, expected: check.expectStatus, answered, unreachable, failed: !unreachable };
    }
  }
  return undefined;
}

function otherGeneration({ generation }: Place, answered: string | undefined): Difference | undefined {
  if (generation === undefined || answered === undefined || answered === generation) return undefined;
  return { expected: `generation ${generation}`, answered: `generation ${answered}` };
}
