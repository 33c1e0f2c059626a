import assert from "node:assert/strict";
import { runReport } from "../../../automation/cli/run-report.ts";
import { reportLines, reportMarkdown } from "../../../automation/cli/run-report-text.ts";
import type { LedgerEvent, LedgerRecord } from "../../../automation/ledger/events.ts";
import { problems } from "../documents/validate.ts";

const begin: LedgerEvent = {
  type: "run-started",
  run: "20261124-093015-5f3a",
  from: "blue",
  to: "green",
  command: "handover upgrade --stack staging",
  by: "ada",
  goal: { live: "green" },
  inputs: { before: { APP_REVISION: "41", TOKEN: "[secret]" }, after: { APP_REVISION: "42", TOKEN: "[secret]" } },
};

/** One event per second. */
const records = (...events: LedgerEvent[]) =>
  [begin, ...events].map((event, second) => {
    const time = new Date(Date.UTC(2026, 10, 24, 9, 30, second)).toISOString();
    return { event, time } as LedgerRecord;
  });
const operation = (op: string) => ({ op, type: "aws:lb/listener:Listener", name: "http" });
const update = { digest: "d", operations: [operation("update")], seconds: 1 };
const gate = { type: "gate", phase: "connect", gate: "smoke", seconds: 0.5 } as const;

describe("a run's report", () => {
  const whole = runReport(
    records(
      { type: "phase-started", phase: "connect", step: 1 },
      { type: "applied", phase: "connect", operations: update.operations, seconds: 1 },
      { ...gate, verdict: "pass", evidence: { status: 200 } },
      { type: "phase-started", phase: "connect", step: 2 },
      { type: "plan", phase: "move-addresses", digest: "d", operations: [] },
      { type: "applied", phase: "connect", operations: update.operations, seconds: 1 },
      { type: "phase-finished", phase: "connect" },
      { type: "run-finished", outcome: "reached" },
    ),
  );

  it("says what, who, when and how it ended", () => {
    const { run, from, to, by, started, seconds, outcome } = whole;
    assert.deepEqual(
      [run, from, to, by, started, seconds, outcome],
      ["20261124-093015-5f3a", "blue", "green", "ada", "2026-11-24T09:30:00.000Z", 8, "reached"],
    );
  });

  it("has a phase of several steps once, with the time from its start to its end, operations and evidence", () => {
    assert.deepEqual(whole.phases, [
      {
        name: "connect",
        back: false,
        started: "2026-11-24T09:30:01.000Z",
        seconds: 6,
        finished: true,
        operations: [operation("update"), operation("update")],
        omitted: 0,
        gates: [{ gate: "smoke", verdict: "pass", evidence: { status: 200 }, seconds: 0.5 }],
      },
    ]);
  });

  it("shows the inputs that differ", () => {
    assert.deepEqual(whole.inputs, [{ name: "APP_REVISION", before: "41", after: "42" }]);
  });

  const back = runReport(
    records(
      { type: "phase-started", phase: "connect" },
      { ...gate, verdict: "fail", evidence: { body: "<script>`|" } },
      { type: "rollback-started", phase: "connect", reason: "smoke: <b>500</b>" },
      { type: "phase-started", phase: "withdraw" },
      { type: "phase-finished", phase: "withdraw" },
      { type: "run-finished", outcome: "rolled-back" },
    ),
  );

  it("tells the way back apart, and why it was taken", () => {
    assert.deepEqual(
      back.phases.map(({ name, back: isBack, finished }) => [name, isBack, finished]),
      [
        ["connect", false, false],
        ["withdraw", true, true],
      ],
    );
    assert.deepEqual(back.happenings, [
      { time: "2026-11-24T09:30:03.000Z", what: "went back from connect: smoke: <b>500</b>" },
    ]);
  });

  it("tells what was bad before the run", () => {
    const bad = [{ kind: "alarm" as const, id: "www-5xx", name: "www-5xx", seen: "in ALARM" }];
    const { happenings } = runReport(records({ type: "baseline", down: true, bad, unseen: ["log /www: throttled"] }));
    assert.deepEqual(
      happenings.map(({ what }) => what),
      [
        "before the run: blue is down, so green gets all traffic at once as soon as it is proven (handover:upgrade.whenOldIsDown)",
        "before the run: alarm www-5xx: in ALARM; not held against green",
        "before the run: not seen: log /www: throttled",
      ],
    );
  });

  it("says of a run that goes on that it has not ended", () => {
    const { outcome, ended } = runReport(records({ type: "phase-started", phase: "backup" }));
    assert.deepEqual([outcome, ended], [null, null]);
  });

  it("is a document of the declared shape", () => {
    for (const report of [whole, back]) assert.equal(problems("report", { version: 1, ...report }), "");
  });

  it("is readable on a terminal: what failed with its evidence", () => {
    const lines = reportLines(back).join("\n");
    assert.match(lines, /blue -> green, rolled back after 6 s/);
    assert.match(lines, /connect: smoke: fail: \{"body"/);
  });

  it("is Markdown in which nothing that was seen becomes markup", () => {
    const markdown = reportMarkdown(back).join("\n");
    assert.match(markdown, /\| withdraw \(back\) \| 1\.0 \| 0 \| 0 of 0 passed \|/);
    assert.match(markdown, /`` \{"body":"<script>`\|"\} ``/);
    assert.doesNotMatch(markdown, /<b>/);
  });
});
