import assert from "node:assert/strict";
import {
  madeUpFor,
  makeUp,
  missedBetween,
  suspendedBefore,
  suspendedSince,
} from "../../../automation/run/missed-actions.ts";
import type { Outputs } from "../../../stacks/outputs.ts";

const at = (time: string) => Date.parse(`2026-11-29T${time}:00Z`);
const { signal } = new AbortController();
const suspended = { suspensions: { Launch: "", ScheduledActions: "User suspended at 2026-11-29T05:00:00Z" } };
const run = { id: "r1", from: "blue", to: "green" };
const outputs = (more: object = {}) =>
  ({
    generations: { blue: { array: { name: "blue-1", ...more } }, green: { array: { name: "green-1" } } },
  }) as unknown as Outputs;

// biome-ignore lint/suspicious/noExplicitAny: a fake of AWS's part
const as = (part: object): any => part;
const arrays = (found: object | undefined = suspended) => as({ arrays: { find: async () => found } });

describe("scheduled actions that a run has suspended", () => {
  it("are those that fell due since, in their order: recurring ones, and one whose time came", () => {
    const actions = [
      { name: "day", recurrence: "0 6 * * *", minSize: 4 },
      { name: "once", startTime: at("05:30"), desiredCapacity: 9 },
      { name: "ended", recurrence: "0 6 * * *", endTime: at("05:59") },
      { name: "later", startTime: at("08:00") },
      { name: "night", recurrence: "0 7 * * *", timeZone: "Europe/Berlin", minSize: 1 },
    ];
    assert.deepEqual(
      missedBetween(actions, at("05:00"), at("07:00")).map(({ action, due }) => [action.name, due]),
      [
        ["once", at("05:30")],
        ["day", at("06:00")],
        ["night", at("06:00")],
      ],
    );
  });

  it("are made up for one after the other, each with the sizes that it states, and the capacity between them", () => {
    const missed = (...actions: object[]) => actions.map((action) => ({ action: { name: "a", ...action }, due: 0 }));
    const before = { minSize: 1, maxSize: 4, desiredCapacity: 2 };
    assert.deepEqual(madeUpFor(before, missed({ minSize: 3 })), { minSize: 3, maxSize: 4, desiredCapacity: 3 });
    assert.deepEqual(madeUpFor(before, missed({ maxSize: 9, desiredCapacity: 8 }, { maxSize: 5 })), {
      minSize: 1,
      maxSize: 5,
      desiredCapacity: 5,
    });
    assert.deepEqual(madeUpFor(before, []), before);
  });

  it("are looked for since AWS says that they were suspended", () => {
    assert.equal(suspendedSince(suspended), at("05:00"));
    for (const reason of ["", "User suspended"])
      assert.equal(suspendedSince({ suspensions: { ScheduledActions: reason } }), undefined);
    assert.equal(suspendedSince({ suspensions: {} }), undefined);
  });

  it("belong to the array that a row resumes, and to none that an operator had suspended", async () => {
    const sought = (row: Parameters<typeof suspendedBefore>[0], more: object = {}) =>
      suspendedBefore(row, run, outputs(more), arrays(), signal);
    assert.deepEqual(await sought("resume-array"), { name: "green-1", since: at("05:00") });
    assert.deepEqual(await sought("withdraw"), { name: "blue-1", since: at("05:00") });
    assert.equal(await sought("connect"), undefined);
    assert.equal(await sought("resume-array", { suspendedByOperator: ["ScheduledActions"] }), undefined);
    assert.equal(await suspendedBefore("withdraw", run, outputs(), arrays({ suspensions: {} }), signal), undefined);
  });

  it("give the array its sizes, each is told, and where none fell due nothing is changed", async () => {
    const given: unknown[] = [];
    const aws = (actions: readonly object[]) =>
      as({
        arrays: {
          scheduledActions: async () => actions,
          find: async () => ({ minSize: 1, maxSize: 4, desiredCapacity: 1 }),
          setSizes: async (name: string, sizes: object) => given.push([name, sizes]),
        },
      });
    const since = Date.now() - 3_600_000;
    const name = "green-1";
    assert.deepEqual(await makeUp({ name, since }, aws([]), signal), []);
    assert.deepEqual(given, []);
    const told = await makeUp(
      { name, since },
      aws([{ name: "day", startTime: since + 1, desiredCapacity: 3 }]),
      signal,
    );
    assert.deepEqual(given, [[name, { minSize: 1, maxSize: 4, desiredCapacity: 3 }]]);
    assert.match(told.join(), /^scheduled action day fell due at .* made up for: green-1 has .*desiredCapacity 3$/);
  });
});
