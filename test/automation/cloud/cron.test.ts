import assert from "node:assert/strict";
import { timesBetween } from "../../../automation/cloud/cron.ts";

const at = (text: string) => Date.parse(`${text}:00Z`);
const due = (expression: string, from: string, until: string, zone = "UTC") =>
  timesBetween(expression, zone, at(from), at(until)).map((time) => new Date(time).toISOString().slice(0, 16));

describe("a recurrence", () => {
  it("is due in its minutes, after the first moment and up to the last", () => {
    assert.deepEqual(due("0 22 * * *", "2026-11-28T22:00", "2026-11-30T22:00"), [
      "2026-11-29T22:00",
      "2026-11-30T22:00",
    ]);
    assert.deepEqual(due("*/20 6-7 * * *", "2026-11-29T06:10", "2026-11-29T07:20"), [
      "2026-11-29T06:20",
      "2026-11-29T06:40",
      "2026-11-29T07:00",
      "2026-11-29T07:20",
    ]);
    assert.deepEqual(due("5/30 0 * * *", "2026-11-29T00:00", "2026-11-29T01:00"), [
      "2026-11-29T00:05",
      "2026-11-29T00:35",
    ]);
  });

  it("knows days and months by number and name, and takes either day where both are given", () => {
    // The 29th of November 2026 is a Sunday.
    for (const sunday of ["0", "7", "SUN", "sat-sun", "5-7"])
      assert.deepEqual(
        due(`0 9 * * ${sunday === "sat-sun" ? "6,sun" : sunday}`, "2026-11-29T08:00", "2026-11-29T10:00").length,
        1,
      );
    assert.equal(due("0 9 * * MON-FRI", "2026-11-28T00:00", "2026-11-30T00:00").length, 0);
    assert.equal(due("0 9 * DEC *", "2026-11-28T00:00", "2026-12-02T00:00").length, 1);
    assert.equal(due("0 9 28 * SUN", "2026-11-28T00:00", "2026-11-30T00:00").length, 2);
  });

  it("is in its time zone, with summer time", () => {
    assert.deepEqual(due("0 22 * * *", "2026-07-01T00:00", "2026-07-02T00:00", "Europe/Berlin"), ["2026-07-01T20:00"]);
    assert.deepEqual(due("0 22 * * *", "2026-12-01T00:00", "2026-12-02T00:00", "Europe/Berlin"), ["2026-12-01T21:00"]);
    assert.deepEqual(due("30 9 * * *", "2026-12-01T00:00", "2026-12-02T00:00", "Asia/Kolkata"), ["2026-12-01T04:00"]);
  });

  it("is refused when it is none", () => {
    for (const wrong of ["@daily", "0 22 * *", "a b c d e", "0 0 * * FUN"])
      assert.throws(() => timesBetween(wrong, "UTC", 0, 60_000), /recurrence/);
  });
});
