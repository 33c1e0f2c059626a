import { type LagRow, waysBack } from "./rows.ts";
import type { LagResult } from "./site.ts";

/** A fault of the driver that lag turns into lost requests or into a healthy upgrade that is taken back. */
export interface Mutation {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Where it hurts. */
  readonly row: Omit<LagRow, "seed">;
  /** Whether it did. Anything else that goes wrong shows nothing of lag. */
  readonly isFoundBy: (result: LagResult) => boolean;
}

export interface Edit {
  /** The file, from the project's folder. */
  readonly file: string;
  /** Occurs once in it. */
  readonly from: string;
  readonly to: string;
}

/** The phase after which the new generation has all traffic, and the old one is still registered. */
const allTraffic = waysBack.at(-2) ?? "upgrade";

const lostRequests = ({ failed }: LagResult) => failed > 0;
const takenBackBy =
  (gate: string) =>
  ({ takenBack, problems }: LagResult) =>
    takenBack && problems.some((problem) => problem.includes(gate));

export const mutations: readonly Mutation[] = [
  {
    name: "weights-and-deregistration-in-one-update",
    edits: [
      { file: "stacks/intent.ts", from: "registered: step < stepsOf(site, withdraw),", to: "registered: false," },
      // The program itself refuses it.
      { file: "stacks/losses.ts", from: "(leaves || (was.registered && !next?.registered))", to: "leaves" },
    ],
    row: { lagSeconds: 15, late: "rules", evidence: "told", way: allTraffic },
    isFoundBy: lostRequests,
  },
  {
    name: "no-gate-before-drain",
    edits: [
      { file: "automation/runbook/gates.ts", from: "first: weightsEverywhere(context, from, to),", to: "" },
      {
        file: "automation/runbook/gates.ts",
        from: "first: isAlone(context) ? weightsEverywhere(context, context.from, context.to) : [],",
        to: "first: [],",
      },
    ],
    row: { lagSeconds: 60, late: "rules", evidence: "untold", way: "upgrade" },
    isFoundBy: lostRequests,
  },
  {
    name: "termination-without-the-delay",
    edits: [
      {
        file: "automation/runbook/gates.ts",
        from: "return { hold: drained(context, from) };",
        to: "return { hold: [] };",
      },
    ],
    row: { lagSeconds: 5, late: "both", evidence: "told", way: "upgrade" },
    isFoundBy: lostRequests,
  },
  {
    name: "old-answers-taken-for-failures",
    edits: [
      {
        file: "automation/gates/propagation.ts",
        from: 'verdict: behind.length === 0 ? "pass" : "pending", evidence',
        to: 'verdict: behind.length === 0 ? "pass" : "fail", evidence',
      },
    ],
    row: { lagSeconds: 15, late: "rules", evidence: "told", way: "upgrade" },
    isFoundBy: takenBackBy("weights everywhere"),
  },
];

/** @throws when the text to replace is not there exactly once */
export function mutated(text: string, { file, from, to }: Edit): string {
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`"${from}" is ${parts.length - 1} times in ${file}`);
  return parts.join(to);
}
