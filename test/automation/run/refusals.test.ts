import assert from "node:assert/strict";
import type { HandoverError } from "../../../automation/errors.ts";
import { refusalOf, type Wish } from "../../../automation/run/refusals.ts";
import { type Standing, standingOf } from "../../../automation/run/standing.ts";
import type { UnfinishedRun } from "../../../automation/run/unfinished-run.ts";
import type { Outputs } from "../../../stacks/outputs.ts";
import { phaseNames } from "../../../stacks/runbook.ts";

const commands = ["upgrade", "resume", "rollback", "abort"] as const;

/** Runs that are paused before each phase, and in the last, on their way there or back. */
const runs: readonly UnfinishedRun[] = [...phaseNames.keys(), phaseNames.length].flatMap((index) =>
  [false, true].map((rollingBack) => ({
    id: "r1",
    from: "blue",
    to: "green",
    finished: phaseNames.slice(0, index),
    reached: phaseNames[index - 1],
    rollingBack: rollingBack && index < phaseNames.length,
    waitingFor: undefined,
    approved: new Set<string>(),
    asked: [],
    back: [],
    changed: index > 0,
    commands: {},
  })),
);

/** The stack as the driver left it, ended or taken back by hand, taken elsewhere, and in every row by hand. */
const stacks: readonly Pick<Outputs, "live" | "run" | "generations">[] = [
  ...["blue", "green", "red"].map((live) => ({ live, run: null, generations: generationsOf(live) })),
  ...[...phaseNames, "withdraw", "readmit"].flatMap((phase) =>
    ["r1", "by-hand"].map((id) => ({
      live: "blue",
      run: { id, from: "blue", to: "green", phase, step: null },
      generations: ["backup", "migrate"].includes(phase) ? generationsOf("blue") : generationsOf("blue", "green"),
    })),
  ),
];

function generationsOf(...names: string[]): Outputs["generations"] {
  return Object.fromEntries(names.map((name) => [name, {} as Outputs["generations"][string]]));
}

const wishes: readonly Wish[] = [undefined, ...runs].flatMap((begun) =>
  stacks.flatMap((outputs) => {
    const standing = standingOf(begun, outputs as Outputs, () => "new");
    return commands.flatMap((command) =>
      ["blue", "green", "red"].map((goal) => ({ command, stack: "s", goal, standing, outputs })),
    );
  }),
);

/** What a person does who follows the message. */
function follow(wish: Wish, { explanation: { first = "", next = "" } }: HandoverError, type = next): Wish {
  const goal = /To go back, set handover:live to (\w+)/.exec(first)?.[1] ?? wish.goal;
  const command = commands.find((each) => type === `handover ${each} --stack s`);
  assert.ok(command !== undefined, type);
  // A refusal puts an end that came about by hand on record.
  const standing: Standing | undefined = wish.standing?.ended === undefined ? wish.standing : undefined;
  return { ...wish, command, goal, standing };
}

describe("a command that can do nothing with a run as it stands", () => {
  it("names one that can, from wherever the run and the stack are: no message points at another", () => {
    const refused = wishes.flatMap((wish) => {
      const refusal = refusalOf(wish);
      return refusal === undefined ? [] : [{ wish, refusal }];
    });
    assert.ok(refused.length > 100);
    for (const { wish, refusal } of refused) {
      const { or = [] } = refusal.explanation;
      for (const type of [refusal.explanation.next ?? "", ...or.map((each) => each.type)])
        assert.equal(refusalOf(follow(wish, refusal, type)), undefined, `${refusal.message} ${JSON.stringify(wish)}`);
    }
  });

  it("is refused by each reason that there is", () => {
    const codes = new Set(wishes.flatMap((wish) => refusalOf(wish)?.code ?? []));
    assert.deepEqual([...codes].sort(), ["no-run", "no-way-back", "run-unfinished", "too-late-to-abort"]);
  });

  it("is never all that there is to type: one of them works", () => {
    const byState = Object.values(
      Object.groupBy(wishes, ({ command: _, ...state }) => JSON.stringify(state)),
    ) as Wish[][];
    for (const each of byState) assert.ok(each.some((wish) => refusalOf(wish) === undefined));
  });
});
