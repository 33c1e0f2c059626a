import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { instantQuery } from "../../../automation/cloud/prometheus.ts";
import { findingsOf } from "../../../automation/doctor/watched.ts";
import { watch } from "../../../automation/gates/gate.ts";
import { metricWithin } from "../../../automation/gates/metrics.ts";
import { metricSchema } from "../../../stacks/config/watch-schema.ts";
import { configOf } from "../config.ts";

const { signal } = new AbortController();

interface Answer {
  readonly query: string;
  readonly status: number;
  readonly body: string;
}

/**
 * What Prometheus 3.12.0 answered, built from its Go module v0.312.0, which takes too long for a test. It scraped itself,
 * a target that was not there, and an exporter of `checkout_errors{generation="green"} 0.5` and `{generation="blue"} 2`;
 * for the answer to a query that timed out it ran with `--query.timeout=1ms`.
 */
const recorded: readonly Answer[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "prometheus-3.12.0.json"), "utf8"),
);
/** What stands before a Prometheus, or instead of one. */
const others: readonly Answer[] = [
  { query: "page", status: 502, body: "<html>Bad Gateway</html>" },
  { query: "large", status: 200, body: "x".repeat(10 * 1024 * 1024) },
];
const timedOut = recorded.find(({ status }) => status === 503)?.query ?? "";

describe("Prometheus metrics", () => {
  const answers = new Map([...recorded, ...others].map((answer) => [answer.query, answer]));
  let server: Server;
  let url: string;
  before(async () => {
    server = createServer(async (request, response) => {
      let form = "";
      for await (const chunk of request) form += String(chunk);
      const query = new URLSearchParams(form).get("query") ?? "";
      const { status, body } = answers.get(query) ?? { status: 404, body: "" };
      if (request.url !== "/api/v1/query") response.writeHead(404).end();
      else response.writeHead(status).end(body);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  const metricOf = (query: string, limit: object, at = url) => ({
    name: "up",
    prometheus: { url: at, query },
    ...limit,
  });
  const gate = (query: string, limit: object, at = url) => {
    const metric = metricSchema.parse(metricOf(query, limit, at));
    const cloudWatch = { metricData: () => Promise.reject(new Error("not asked")) };
    return metricWithin(cloudWatch, metric, { generation: "green" }, 0);
  };
  const verdict = async (query: string, limit: object) => (await gate(query, limit).observe(signal)).verdict;
  const result = async (query: string, at = url) => {
    const [seen] = await watch([gate(query, { atMost: 1 }, at)], 3600, signal);
    return `${seen?.verdict}: ${JSON.stringify(seen?.evidence)}`;
  };

  it("pass when every element of the vector, or the scalar, keeps the limit", async () => {
    assert.equal(await verdict("checkout_errors", { atMost: 2 }), "pass");
    assert.equal(await verdict('scalar(checkout_errors{generation="green"})', { atLeast: 0.5 }), "pass");
    assert.equal(await verdict("rate(checkout_errors[5s])", { atMost: 0 }), "pass");
  });

  it("fail when one element does not, and say which values", async () => {
    assert.deepEqual(await gate("up", { atLeast: 1 }).observe(signal), {
      verdict: "fail",
      evidence: { values: [1, 0, 1], atMost: undefined, atLeast: 1, beyond: [0] },
    });
    assert.equal(await result("1/0"), 'fail: {"values":["Infinity"],"atMost":1,"beyond":["Infinity"]}');
  });

  it("may name the new generation", async () => {
    assert.equal(await verdict('checkout_errors{generation="$generation"}', { atMost: 1 }), "pass");
  });

  it("are pending without a value, and inconclusive after the gate's own time", async () => {
    for (const query of ['checkout_errors{generation="red"}', "0/0"]) {
      assert.equal(await verdict(query, { atMost: 1 }), "pending");
      assert.equal(await result(query), 'inconclusive: {"values":"none yet","atMost":1}');
    }
  });

  it("quote the warnings of Prometheus", async () => {
    assert.match(await result("quantile(2, checkout_errors)"), /^fail: .*"warnings":\["PromQL warning: quantile value/);
    assert.match(await result("histogram_quantile(0.9, checkout_errors)"), /^inconclusive: .*bucket label \\"le\\" is/);
  });

  const inconclusive: [string, string, RegExp][] = [
    ["of a query that is none", "checkout_errors{", /bad_data: invalid parameter .* unexpected end of input/],
    ["of one that cannot be worked out", "checkout_errors + on() up", /execution: found duplicate series/],
    ["of a range", "checkout_errors[2s]", /HTTP 200, and neither a vector nor a scalar/],
    ["when Prometheus has no time", timedOut, /timeout: query timed out in expression evaluation/],
    ["when something else answers", "page", /HTTP 502, and neither a vector nor a scalar/],
    ["when the answer is 10 MB", "large", /Response content exceeded max size/],
  ];
  for (const [what, query, message] of inconclusive) {
    it(`are inconclusive ${what}, with what was said`, async () => {
      const seen = await result(query);
      assert.match(seen, /^inconclusive/);
      assert.match(seen, message);
    });
  }

  it("are inconclusive when nobody answers", async () => {
    assert.match(await result("up", "http://127.0.0.1:1"), /^inconclusive.*ECONNREFUSED/);
  });

  it("are not waited for when the connection hangs", async () => {
    const hanging = createServer(() => {}).listen(0, "127.0.0.1");
    await once(hanging, "listening");
    const at = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}`;
    await assert.rejects(instantQuery(at, "up", signal, 0.1), /^Error: no answer within 0.1 s$/);
    hanging.close();
    hanging.closeAllConnections();
  });

  it("are looked at by doctor: a bad query is to be mended, and a busy or missing Prometheus only warned of", async () => {
    const findings = async (query: string, at = url) => {
      const metrics = [metricOf(query, { atMost: 1 }, at)];
      const { config } = configOf({ upgrade: { comparison: { enabled: false }, metrics } });
      const [found] = await findingsOf({} as Parameters<typeof findingsOf>[0], config);
      return `${found?.result}: ${found?.message}`;
    };
    assert.equal(await findings("up"), "ok: answers");
    assert.match(
      await findings("checkout_errors{"),
      /^problem: Prometheus: bad_data: .*; correct it in handover:upgrade/,
    );
    assert.match(await findings(timedOut), /^skipped: Prometheus: timeout: .*; a run that cannot reach it is paused$/);
    assert.match(await findings("up", "http://127.0.0.1:1"), /^skipped: .*ECONNREFUSED/);
  });
});
