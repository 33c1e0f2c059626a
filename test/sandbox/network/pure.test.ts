import assert from "node:assert/strict";
import { groupCookie, stickyCookie, stuckTo } from "../../../sandbox/network/cookies.ts";
import { parseEnvironment, readInputs } from "../../../sandbox/network/inputs.ts";
import { chooseGroup, compileRules, locationOf, matchRule } from "../../../sandbox/network/rules.ts";
import type { ForwardAction } from "../../../sandbox/network/state.ts";
import {
  type CheckOutcome,
  eligibleTargets,
  type Health,
  healthy,
  matches,
  newlyRegistered,
  nextHealth,
} from "../../../sandbox/network/targets.ts";
import { forward } from "./world.ts";

describe("the health of a target", () => {
  const thresholds = { healthyThreshold: 3, unhealthyThreshold: 2 };
  const failed: CheckOutcome = { passed: false, reason: "Target.Timeout", description: "Request timed out" };

  /** `+` is a passed check, `-` a failed one. */
  function after(checks: string): Health["state"] {
    let health = newlyRegistered;
    for (const check of checks) health = nextHealth(health, check === "+" ? { passed: true } : failed, thresholds);
    return health.state;
  }

  const cases: Record<string, Health["state"]> = {
    "": "initial",
    "+": "healthy",
    "-": "initial",
    "-+": "healthy",
    "--": "unhealthy",
    "+-": "healthy",
    "+-+-": "healthy",
    "+--": "unhealthy",
    "+--++": "unhealthy",
    "+--++-+": "unhealthy",
    "+--+++": "healthy",
    "+--+++-": "healthy",
  };
  for (const [checks, state] of Object.entries(cases)) {
    it(`is ${state} after ${checks === "" ? "no check" : checks}`, () => assert.equal(after(checks), state));
  }

  it("carries AWS's reason while it is not healthy", () => {
    assert.equal(newlyRegistered.reason, "Elb.InitialHealthChecking");
    const health = nextHealth({ ...healthy, streak: 1 }, failed, thresholds);
    assert.deepEqual(health, {
      state: "unhealthy",
      reason: "Target.Timeout",
      description: "Request timed out",
      streak: 0,
    });
    assert.equal(healthy.reason, undefined);
  });

  it("counts the codes of the matcher as a success", () => {
    const accepted = (matcher: string) => [200, 204, 299, 302, 404, 500].filter((status) => matches(matcher, status));
    assert.deepEqual(accepted("200"), [200]);
    assert.deepEqual(accepted("200-299"), [200, 204, 299]);
    assert.deepEqual(accepted("200,302"), [200, 302]);
    assert.deepEqual(accepted("200,300-404"), [200, 302, 404]);
  });

  it("decides who gets requests: the healthy, or else all unhealthy, never the new or the draining", () => {
    const target = (name: string, state: Health["state"], draining = false) => ({
      name,
      draining,
      health: { state, streak: 0 },
    });
    const names = (...targets: ReturnType<typeof target>[]) => eligibleTargets(targets).map(({ name }) => name);
    assert.deepEqual(names(target("a", "healthy"), target("b", "unhealthy"), target("c", "healthy", true)), ["a"]);
    assert.deepEqual(names(target("a", "unhealthy"), target("b", "unhealthy"), target("c", "initial")), ["a", "b"]);
    assert.deepEqual(names(target("a", "initial"), target("b", "healthy", true)), []);
  });
});

describe("a listener's rules", () => {
  const rules = compileRules([
    forward({ test: 1 }, { hosts: ["test.example.com"] }),
    forward({ any: 1 }, { hosts: ["*.example.org", "shop?.example.net"] }),
    forward({ images: 1 }, { paths: ["/img/*", "/a.b"] }),
    forward({ both: 1 }, { hosts: ["www.example.com"], paths: ["/Case"] }),
    forward({ default: 1 }),
  ]);
  const cases: [host: string | undefined, url: string, group: string][] = [
    ["test.example.com", "/", "test"],
    ["TEST.Example.COM:8000", "/", "test"],
    ["atest.example.com", "/", "default"],
    ["testxexample.com", "/", "default"],
    ["a.b.example.org", "/", "any"],
    ["example.org", "/", "default"],
    ["shop1.example.net", "/", "any"],
    ["shop.example.net", "/", "default"],
    ["www.example.com", "/img/x/y.png?size=1", "images"],
    ["www.example.com", "/?next=/img/", "default"],
    ["www.example.com", "/a.b", "images"],
    ["www.example.com", "/aXb", "default"],
    ["www.example.com", "/Case?x", "both"],
    ["www.example.com", "/case", "default"],
    ["example.com", "/Case", "default"],
    [undefined, "/", "default"],
  ];
  for (const [host, url, group] of cases) {
    it(`send ${host ?? "a request without a host"}${url} to ${group}`, () => {
      const action = matchRule(rules, host, url)?.action as ForwardAction;
      assert.deepEqual(
        action.targetGroups.map(({ arn }) => arn),
        [group],
      );
    });
  }
});

describe("the choice of a target group", () => {
  const action = (weights: Record<string, number>, stickinessSeconds = 0) =>
    forward(weights, { stickinessSeconds }).action as ForwardAction;
  const share = (weights: Record<string, number>) =>
    Array.from({ length: 10 }, (_, index) => chooseGroup(action(weights), undefined, () => index / 10)).join(" ");

  it("goes by the weights", () => {
    assert.equal(share({ a: 3, b: 7 }), "a a a b b b b b b b");
    assert.equal(share({ a: 0, b: 1 }), "b b b b b b b b b b");
    assert.equal(share({ a: 1, b: 0 }), "a a a a a a a a a a");
    assert.equal(
      chooseGroup(action({ a: 0, b: 0 }), undefined, () => 0),
      undefined,
    );
    assert.equal(
      chooseGroup(action({}), undefined, () => 0),
      undefined,
    );
  });

  it("keeps a client where it is stuck, if the action is sticky and still has that group", () => {
    assert.equal(
      chooseGroup(action({ a: 0, b: 1 }, 60), "a", () => 0),
      "a",
    );
    assert.equal(
      chooseGroup(action({ a: 0, b: 1 }), "a", () => 0),
      "b",
    );
    assert.equal(
      chooseGroup(action({ b: 1 }, 60), "a", () => 0),
      "b",
    );
  });
});

describe("a stickiness cookie", () => {
  const header = `other=1; ${stickyCookie(groupCookie, "arn:blue", 10, 1_000).split(";")[0]}; more=2`;

  it("binds for its duration, and not longer", () => {
    assert.equal(stuckTo(header, groupCookie, 10_999), "arn:blue");
    assert.equal(stuckTo(header, groupCookie, 11_000), undefined);
  });

  it("is ignored when it cannot be decoded", () => {
    assert.equal(stuckTo(undefined, groupCookie, 0), undefined);
    assert.equal(stuckTo(`${groupCookie}=nonsense`, groupCookie, 0), undefined);
    assert.equal(stuckTo(`${groupCookie}=bnVsbA`, groupCookie, 0), undefined);
  });
});

describe("the inputs of a server", () => {
  it("are read from the file that the user data writes", () => {
    const archive = [
      "#cloud-config-archive",
      "- type: text/cloud-config",
      "  content: |",
      "    #cloud-config",
      "    write_files:",
      "      - path: /etc/handover/inputs.env",
      "        content: |",
      "          GENERATION=blue",
      '          MOTTO="two words"',
      '- "#!/bin/sh\\ntouch /tmp/x\\n"',
    ].join("\n");
    assert.deepEqual(readInputs(archive), { GENERATION: "blue", MOTTO: "two words" });
  });

  it("may be base64, or in a plain cloud-config", () => {
    const content = Buffer.from("A=1\n").toString("base64");
    const config = `#cloud-config\nwrite_files: [{ path: /etc/handover/inputs.env, encoding: b64, content: ${content} }]`;
    assert.deepEqual(readInputs(config), { A: "1" });
  });

  it("take quotes and escapes as systemd does", () => {
    const text = [
      "# a comment",
      "PLAIN=a b ",
      'DOUBLE="a \\"b\\" \\\\ \\$HOME \\n"',
      "SINGLE='a \"b\" \\ c'",
      'ESCAPED=a\\ \\"b',
      "EMPTY=",
      'LINES="one',
      'two"',
      "MIXED=a'b'\"c\"",
      "not an assignment",
      "LAST=1",
    ].join("\n");
    assert.deepEqual(parseEnvironment(text), {
      PLAIN: "a b",
      DOUBLE: 'a "b" \\ $HOME \\n',
      SINGLE: 'a "b" \\ c',
      ESCAPED: 'a "b',
      EMPTY: "",
      LINES: "one\ntwo",
      MIXED: "abc",
      LAST: "1",
    });
  });

  for (const broken of [
    "",
    "#!/bin/sh\n",
    "#cloud-config-archive\nno: list",
    "#cloud-config-archive\n[]",
    "#cloud-config-archive\n- {",
  ]) {
    it(`are missing in ${JSON.stringify(broken)}`, () => assert.throws(() => readInputs(broken)));
  }
});

describe("a redirect", () => {
  const to = (change: object) =>
    locationOf(
      {
        ...{ type: "redirect", status: 301, protocol: "#{protocol}", port: "#{port}" },
        ...{ host: "#{host}", path: "/#{path}", query: "#{query}" },
        ...change,
      },
      "www.example.com:8001",
      "/a/b?c=d",
      8001,
    );

  it("keeps what it does not change, and names no port that clients take anyway", () => {
    assert.equal(to({}), "http://www.example.com:8001/a/b?c=d");
    assert.equal(to({ port: "8000" }), "http://www.example.com:8000/a/b?c=d");
    assert.equal(to({ port: "80" }), "http://www.example.com/a/b?c=d");
    assert.equal(to({ protocol: "HTTPS", port: "443" }), "https://www.example.com/a/b?c=d");
    assert.equal(to({ protocol: "HTTPS", port: "80" }), "https://www.example.com:80/a/b?c=d");
    assert.equal(to({ host: "new.#{host}", path: "/x/#{path}", query: "" }), "http://new.www.example.com:8001/x/a/b");
  });
});
