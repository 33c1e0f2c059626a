import assert from "node:assert/strict";
import { parseConfig } from "../../stacks/config.ts";
import { projectDirectory } from "../../stacks/project.ts";
import { exampleConfig, exampleValues, problemsOf } from "./shape.ts";

type Values = ReturnType<typeof exampleValues>;

describe("configuration", () => {
  it("accepts both example stacks", () => {
    for (const stack of ["staging", "production"]) assert.ok(parseConfig(exampleValues(stack), projectDirectory));
  });

  it("lets a generation state only what differs, and merges inputs key by key", () => {
    const config = exampleConfig((values) => {
      values.generations.blue.inputs = { APP_REVISION: "41", LEVEL: "info" };
    });
    const { green } = config.generations;
    assert.deepEqual(
      {
        imageId: green?.imageId,
        instanceType: green?.instanceType,
        frontends: green?.frontends,
        inputs: green?.inputs,
      },
      {
        imageId: "ami-0a1b2c3d4e5f60001",
        instanceType: "t3.medium",
        frontends: 2,
        inputs: { APP_REVISION: "42", LEVEL: "info" },
      },
    );
  });

  for (const [hostname, testHostname] of [
    ["www.example.com", "www.example.com"],
    ["www.example.com", "*.example.com"],
    ["www.staging.example.com", "*.staging.example.com"],
    ["shop.example.com", "*hop.example.com"],
    ["*.example.com", "*.staging.example.com"],
    ["*.staging.example.com", "*.example.com"],
  ])
    it(`refuses ${testHostname} as the test host name of ${hostname}, whose users it would reach`, () => {
      const problems = problemsOf(({ site }) => Object.assign(site, { hostname, testHostname }));
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? "", /^handover:site\.testHostname: .* the public name .*choose a name of its own/);
    });

  it("takes a test host name that is another than the public one, also one for several", () => {
    for (const testHostname of ["test.example.com", "*.test.example.com", "*-test.example.com"])
      assert.deepEqual(
        problemsOf(({ site }) => Object.assign(site, { hostname: "www.example.com", testHostname })),
        [],
      );
    const several = { hostname: "*.example.com", testHostname: "test.example.com" };
    assert.deepEqual(
      problemsOf(({ site }) => Object.assign(site, several)),
      [],
    );
    for (const testHostname of ["*", "w?w.example.com", "WWW.example.com"])
      assert.match(
        problemsOf(({ site }) => Object.assign(site, { testHostname })).join(),
        /must be a host name in lower case/,
      );
  });

  it("has a safe default for everything that says how to get there", () => {
    const { upgrade } = exampleConfig((values) => {
      delete values.upgrade;
    });
    assert.deepEqual(upgrade.shiftPercent, [10, 50]);
    assert.equal(upgrade.onFailure, "rollback");
    assert.equal(upgrade.bakeSeconds, 300);
  });

  it("takes a step as `pulumi config set` writes it", () => {
    const stepping = exampleConfig((values) => {
      Object.assign(values, { phase: "connect", step: "2" });
    });
    assert.equal(stepping.step, 2);
  });

  const cases: [string, (values: Values) => void, RegExp][] = [
    [
      "an unknown key",
      (v) => {
        v.site.colour = "red";
      },
      /^handover:site\.colour: unknown key/,
    ],
    [
      "an unknown key inside a list",
      (v) => {
        v.upgrade.smoke[0].methods = ["GET"];
      },
      /^handover:upgrade\.smoke\[0\]\.methods: unknown key/,
    ],
    [
      "a check with a wrong value, among the kinds of checks that there are,",
      (v) => {
        v.upgrade.smoke[0].timeoutSeconds = 0;
      },
      /^handover:upgrade\.smoke\[0\]\.timeoutSeconds: /,
    ],
    [
      "a body pattern that is none",
      (v) => {
        v.upgrade.smoke[0].expectBody = "(ok";
      },
      /^handover:upgrade\.smoke\[0\]\.expectBody: must be a regular expression/,
    ],
    [
      "a command that cannot be run",
      (v) => {
        v.upgrade.smoke.push({ command: ["./README.md"] });
      },
      /^handover:upgrade\.smoke\[2\]\.command: \.\/README\.md is not executable/,
    ],
    [
      "a folder for a command",
      (v) => {
        v.upgrade.migrate = { command: ["./docs"] };
      },
      /^handover:upgrade\.migrate\.command: \.\/docs is not executable/,
    ],
    [
      "two sources of sessions",
      (v) => {
        v.upgrade.sessions = { path: "/status", field: "BusyWorkers", json: "sessions.active" };
      },
      /^handover:upgrade\.sessions: give one of field, json and cloudWatch/,
    ],
    [
      "a status page beside a metric of sessions",
      (v) => {
        const active = { namespace: "Shop", metricName: "Sessions", dimensions: { InstanceId: "$instanceId" } };
        v.upgrade.sessions = { path: "/status", cloudWatch: { metrics: { active } } };
      },
      /^handover:upgrade\.sessions: field and json are on a page: give its path with them, and none with cloudWatch/,
    ],
    [
      "a metric of sessions that is not one server's",
      (v) => {
        v.upgrade.sessions = { cloudWatch: { metrics: { active: { namespace: "Shop", metricName: "Sessions" } } } };
      },
      /^handover:upgrade\.sessions\.cloudWatch: must be of one server: give each metric a dimension like InstanceId: \$instanceId/,
    ],
    [
      "a time to be quiet that is longer than the limit",
      (v) => {
        v.upgrade.sessions = { path: "/status", json: "sessions.active", quietSeconds: 60, limitSeconds: 30 };
      },
      /^handover:upgrade\.sessions: quietSeconds must not be above limitSeconds/,
    ],
    [
      "an unknown top-level key",
      (v) => {
        v.lvie = "blue";
      },
      /^handover:lvie: unknown key/,
    ],
    [
      "a goal that is not declared",
      (v) => {
        v.live = "red";
      },
      /^handover:live: there is no generation "red".*known: blue, green/,
    ],
    [
      "a generation that extends itself",
      (v) => {
        v.generations.green.extends = "green";
      },
      /^handover:generations\.green\.extends: goes in a circle \(green -> green\)/,
    ],
    [
      "generations that extend each other",
      (v) => {
        v.generations.blue.extends = "green";
      },
      /goes in a circle \(blue -> green -> blue\)/,
    ],
    [
      "a generation that extends nothing known",
      (v) => {
        v.generations.green.extends = "red";
      },
      /^handover:generations\.green\.extends: there is no generation "red"/,
    ],
    [
      "no frontends",
      (v) => {
        v.generations.blue.frontends = 0;
      },
      /^handover:generations\.blue\.frontends: must be 1 or more/,
    ],
    [
      "negative frontends",
      (v) => {
        v.generations.green.frontends = -2;
      },
      /^handover:generations\.green\.frontends: must be 1 or more/,
    ],
    [
      "more addresses than frontends",
      (v) => {
        v.site.elasticIps = 3;
      },
      /^handover:site\.elasticIps: 3 Elastic IPs need as many frontends, but generation "blue" has 2/,
    ],
    [
      "traffic shares that fall",
      (v) => {
        v.upgrade.shiftPercent = [50, 10];
      },
      /^handover:upgrade\.shiftPercent: must rise/,
    ],
    [
      "a traffic share above 100",
      (v) => {
        v.upgrade.shiftPercent = [50, 110];
      },
      /^handover:upgrade\.shiftPercent\[1\]: must not pass 100/,
    ],
    [
      "a user data file that is not there",
      (v) => {
        v.generations.blue.userDataFile = "nowhere.yaml";
      },
      /^handover:generations\.blue\.userDataFile: there is no file nowhere\.yaml/,
    ],
    [
      "a folder for user data",
      (v) => {
        v.generations.blue.userDataFile = "frontends";
      },
      /^handover:generations\.blue\.userDataFile: there is no file frontends/,
    ],
    [
      "user data that is no text",
      (v) => {
        v.generations.blue.userDataFile = process.execPath;
      },
      /^handover:generations\.blue\.userDataFile: .* is no text in UTF-8/,
    ],
    [
      "statuses that no load balancer takes",
      (v) => {
        v.site.loadBalancer.healthCheck.matcher = "200-599";
      },
      /^handover:site\.loadBalancer\.healthCheck\.matcher: must be statuses from 200 to 499/,
    ],
    [
      "a missing port",
      (v) => {
        delete v.site.port;
      },
      /^handover:site\.port: is missing/,
    ],
    [
      "a port in quotes",
      (v) => {
        v.site.port = "8080";
      },
      /^handover:site\.port: is the text "8080", and must be a number; write it without quotes: 8080$/,
    ],
    [
      "a port that is no number",
      (v) => {
        v.site.port = "1_0";
      },
      /^handover:site\.port: must be a number$/,
    ],
    [
      "a port without a value",
      (v) => {
        v.site.port = null;
      },
      /^handover:site\.port: is empty; it must be a number, or remove the key$/,
    ],
    [
      "a number for text",
      (v) => {
        v.upgrade.migrate = { command: ["./frontends/migrate", 5] };
      },
      /^handover:upgrade\.migrate\.command\[1\]: is no text without quotes; write "5"$/,
    ],
    [
      "two kinds of network",
      (v) => {
        v.site.network.vpcId = "vpc-1";
      },
      /^handover:site\.network: give either/,
    ],
    [
      "two kinds of database",
      (v) => {
        v.site.database.dbInstanceIdentifier = "db";
      },
      /^handover:site\.database: give either/,
    ],
    [
      "a name that is not a generation's",
      (v) => {
        v.generations.Blue = {};
      },
      /^handover:generations\.Blue: a generation's name/,
    ],
    [
      "an input that is no variable",
      (v) => {
        v.generations.blue.inputs = { "a-b": "1" };
      },
      /^handover:generations\.blue\.inputs\.a-b: an input's name/,
    ],
  ];
  for (const [what, change, message] of cases) {
    it(`refuses ${what} with its path and rule`, () => {
      const problems = problemsOf(change);
      assert.ok(
        problems.some((problem) => message.test(problem)),
        problems.join("\n"),
      );
    });
  }
});
