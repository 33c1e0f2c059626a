import pLimit from "p-limit";
import { type HttpCheck, headersOf } from "../../stacks/config/checks.ts";
import { type Answer, addressesOf, ask, type Question } from "../cloud/http.ts";
import { isUnreachable } from "../cloud/not-seen.ts";
import { messageOf } from "../errors.ts";
import { type Difference, differenceOf } from "./expectation.ts";
import type { Gate, Observation } from "./gate.ts";
import { byHeader, type Identity } from "./identity.ts";

/** Somebody to ask, and who must answer. */
export interface Place {
  readonly name: string;
  readonly question: Pick<Question, "protocol" | "address" | "name" | "port" | "host">;
  /** The generation that must answer, where the answer says who gave it. */
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
  /** How answers say who gave them. Default: by the header `x-generation`. */
  readonly identity?: Identity;
  /** What a pass without an answer that says who gave it leaves open. Default: nothing. */
  readonly unsigned?: string;
}

const atOnce = 64;

/** Every check at every place gets the expected answer, as often in a row as it says. */
export function smoke(
  name: string,
  places: readonly Place[],
  checks: readonly HttpCheck[],
  {
    onEveryNode = false,
    standIn,
    counts = () => true,
    redact = (text) => text,
    identity = byHeader,
    unsigned,
  }: SmokeOptions = {},
): Gate {
  return {
    name,
    async observe(signal): Promise<Observation> {
      const limit = pLimit(atOnce);
      const asked = onEveryNode ? (await Promise.all(places.map(nodesOf))).flat() : places;
      const questions = asked.flatMap((place) => checks.map((check) => ({ place, check })));
      let signed = 0;
      const reading = { redact, identity, onSigned: () => signed++ };
      const found = (await limit.map(questions, (question) => missOf(question, reading, signal))).filter(
        (miss) => miss !== undefined,
      );
      const misses = found.filter(({ check, answeredBy }) => counts(check, answeredBy));
      const notCounted = found.length - misses.length;
      if (misses.length === 0) {
        const open = {
          ...(notCounted > 0 && { notCounted }),
          ...(signed === 0 && unsigned !== undefined && { notJudged: unsigned }),
        };
        return { verdict: "pass", evidence: { asked: questions.length, ...open } };
      }
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

/** How answers are read. */
export interface Reading extends Pick<SmokeOptions, "identity"> {
  readonly redact: (text: string) => string;
  /** Called for each answer that says which generation gave it. */
  readonly onSigned?: () => void;
}

/** The first miss, if there is one, among as many questions in a row as the check wants passed. */
export async function missOf(
  { place, check }: { readonly place: Place; readonly check: HttpCheck },
  { redact, identity = byHeader, onSigned = () => {} }: Reading,
  signal: AbortSignal,
): Promise<Miss | undefined> {
  const { path, method, timeoutSeconds, tls } = check;
  const question = { ...place.question, path, method, headers: headersOf(check), timeoutSeconds, tls };
  const at = `${place.name}${path}`;
  for (let pass = 0; pass < check.passes; pass++) {
    try {
      const answer = await ask(question, signal);
      const signature = identity.of(answer);
      const answeredBy = signature?.generation;
      if (answeredBy !== undefined) onSigned();
      const other = otherGeneration(place, answeredBy);
      if (other !== undefined) return { at, check, answeredBy, ...other, otherGeneration: true };
      const difference = differenceOf(check, answer, redact) ?? unidentified(place, check, answer, identity, redact);
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

/** What a new server says must be known: neither nothing, nor what no generation says. */
function unidentified(
  { generation }: Place,
  check: HttpCheck,
  answer: Answer,
  identity: Identity,
  redact: (text: string) => string,
): Difference | undefined {
  if (check.identifies !== true || generation === undefined) return undefined;
  const expected = `what ${generation} says in ${identity.where}`;
  const signature = identity.of(answer);
  if (signature !== undefined)
    return signature.generation === undefined
      ? { expected, answered: redact(signature.says).slice(0, 200) }
      : undefined;
  return identity.isSigned(answer) ? undefined : { expected, answered: "nothing there" };
}
