import assert from "node:assert/strict";
import { exampleConfig, problemsOf } from "../shape.ts";

const problemsIn = (upgrade: object) => problemsOf(({ upgrade: values }) => Object.assign(values, upgrade));
const prometheus = { url: "http://prometheus.example.com:9090", query: "up" };
const errors = { namespace: "Site", metricName: "Errors", stat: "Sum" };
const metric = (more: object) => ({ metrics: [{ name: "a", ...more }] });
const log = (pattern: string) => ({ logs: [{ group: "/www/error", pattern }] });

describe("what is watched, in the configuration", () => {
  it("compares by default and lets too few requests pass, but pauses where a comparison was asked for", () => {
    const whenTooFew = (comparison?: object) =>
      exampleConfig((values) => Object.assign(values.upgrade, { comparison })).upgrade.comparison;
    assert.deepEqual([whenTooFew().enabled, whenTooFew().whenTooFew], [true, "pass"]);
    assert.equal(whenTooFew({ tolerance: 0.02 }).whenTooFew, "pause");
  });

  it("accepts metric math, a single metric, Prometheus, alarms and patterns of every kind", () => {
    assert.deepEqual(problemsIn(metric({ cloudWatch: { metrics: { errors } }, atMost: 1 })), []);
    assert.deepEqual(
      problemsIn(metric({ cloudWatch: { metrics: { errors }, expression: "errors * 2" }, atLeast: 1 })),
      [],
    );
    assert.deepEqual(problemsIn({ ...metric({ prometheus, atMost: 0 }), alarms: ["www-5xx"] }), []);
    for (const pattern of ["ERROR", '"not found"', "{ $.status = 5* }", "[ip, status=5*]", "%5\\d\\d%", "?A ?B"])
      assert.deepEqual(problemsIn(log(pattern)), []);
  });

  const cases: [string, object, string][] = [
    [
      "an unknown field of a query",
      metric({ prometheus: { ...prometheus, step: 5 }, atMost: 1 }),
      "handover:upgrade.metrics[0].prometheus.step: unknown key; remove it or correct its spelling",
    ],
    [
      "neither limit",
      metric({ prometheus }),
      "handover:upgrade.metrics[0]: give either atMost or atLeast, for example atMost: 1",
    ],
    [
      "both limits",
      metric({ prometheus, atMost: 1, atLeast: 0 }),
      "handover:upgrade.metrics[0]: give either atMost or atLeast, for example atMost: 1",
    ],
    ["no query", metric({ atMost: 1 }), "handover:upgrade.metrics[0]: give either cloudWatch or prometheus"],
    [
      "an expression that names none of its metrics",
      metric({ cloudWatch: { metrics: { errors }, expression: "erors * 2" }, atMost: 1 }),
      "handover:upgrade.metrics[0].cloudWatch: needs an expression over its metrics' ids, for example 100 * errors / requests, unless it has a single metric",
    ],
    [
      "an address that is none",
      metric({ prometheus: { ...prometheus, url: "prometheus" }, atMost: 1 }),
      "handover:upgrade.metrics[0].prometheus.url: must be a URL, for example http://prometheus.example.com:9090",
    ],
    [
      "a pattern that is not closed",
      log("{ $.status = 500"),
      'handover:upgrade.logs[0].pattern: is not a valid filter pattern: "{" is not closed by "}"; for example ERROR or { $.status = 5* }',
    ],
    [
      "a bad regular expression",
      log("%(%"),
      "handover:upgrade.logs[0].pattern: is not a valid filter pattern: Invalid regular expression: /(/: Unterminated group; for example ERROR or { $.status = 5* }",
    ],
    [
      "an unknown field of the comparison",
      { comparison: { tolerence: 0.1 } },
      "handover:upgrade.comparison.tolerence: unknown key; remove it or correct its spelling",
    ],
    [
      "a period that CloudWatch has not",
      { comparison: { periodSeconds: 45 } },
      "handover:upgrade.comparison.periodSeconds: must be 60 or a multiple of it (1, 5, 10, 20 and 30 for metrics of high resolution)",
    ],
  ];
  for (const [name, upgrade, problem] of cases) {
    it(`refuses ${name} with one clear message`, () => assert.deepEqual(problemsIn(upgrade), [problem]));
  }
});
