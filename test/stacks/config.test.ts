import assert from "node:assert/strict";
import { parseConfig } from "../../stacks/config.ts";
import { projectDirectory } from "../../stacks/project.ts";
import { exampleConfig, exampleValues, problemsOf } from "./shape.ts";

type Values = ReturnType<typeof exampleValues>;

const header = "x-revision";
const wrongIdentities: readonly [string, object, RegExp][] = [
  ["two places", { header, json: "revision", equals: "$generation" }, /: give one of header, json and body/],
  ["no place", { equals: "$generation" }, /: give one of header, json and body/],
  ["the same for every generation", { header, equals: "42" }, /\.equals: must differ between generations/],
  ["no value", { header }, /\.equals: /],
  ["a name that is no header's", { header: "x revision", equals: "$generation" }, /\.header: must be the name/],
  ["a pattern that is none", { body: "(", equals: "$generation" }, /\.body: must be a regular expression/],
  [
    "an input that is not stated",
    { header, equals: "$inputs.RELEASE" },
    /\.equals: generation "\w+" has no input RELEASE/,
  ],
];

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

  const kms = "arn:aws:kms:us-east-1:123456789012";
  /** What AWS, or whoever asks the servers, would refuse once a run has begun. */
  const refused: [path: string, value: unknown, problem: RegExp][] = [
    ["site.hostname", `${"a".repeat(64)}.example.com`, /has a part of more than 63 characters/],
    ["site.port", 70_000, /must be at most 65535/],
    ["site.loadBalancer.healthCheck.path", "/a b", /must be encoded as in a URL/],
    ["site.loadBalancer.healthCheck.path", "/\u00e9", /must be encoded as in a URL/],
    ["site.loadBalancer.healthCheck.path", `/${"x".repeat(1024)}`, /must have at most 1024 characters/],
    ["site.loadBalancer.healthCheck.intervalSeconds", 4, /must be at least 5/],
    ["site.loadBalancer.healthCheck.timeoutSeconds", 5, /must be less than intervalSeconds .* for example interval/],
    ["site.loadBalancer.healthCheck.healthyThreshold", 11, /must be at most 10/],
    ["site.database", { dbInstanceIdentifier: "www_db" }, /must be the identifier of an RDS instance/],
    ["site.database", { dbInstanceIdentifier: "www-" }, /must be the identifier of an RDS instance/],
    ["site.database", { volumeId: "vol-" }, /must be an EBS volume id/],
    ["site.network", { cidrBlock: "10.300.0.0/16" }, /has a number above 255/],
    ["site.network", { cidrBlock: "10.20.5.0/16" }, /write 10\.20\.0\.0\/16$/],
    ["site.network", { cidrBlock: "169.254.0.0/16" }, /is no block for hosts/],
    ["site.network", { vpcId: "vpc-1", subnetIds: ["subnet-1"] }, /must have at least 2 entries/],
    ["site.network", { vpcId: "vpc-1", subnetIds: ["subnet-1", "subnet-1"] }, /has an id twice/],
    ["generations.blue.iamInstanceProfile", "arn:aws:iam::1:instance-profile/www", /name, not its ARN/],
    ["generations.blue.keyName", "", /is empty/],
    ["generations.blue.rootBlockDevice", { volumeType: "gp4" }, /must be one of standard, gp2, gp3/],
    ["generations.blue.rootBlockDevice", { kmsKeyId: "alias/www" }, /must be a KMS key's ARN, for example arn:/],
    ["generations.blue.rootBlockDevice", { kmsKeyId: `${kms}:alias/www` }, /must be a KMS key's ARN/],
    ["generations.blue.rootBlockDevice", { kmsKeyId: "0a1b2c3d-4e5f-6000-8000-000000000001" }, /a KMS key's ARN/],
    ["generations.blue.metadataHopLimit", 65, /must be at most 64/],
    ["generations.blue.monitoring", "yes", /must be true or false/],
    ["generations.blue.tenancy", "host", /must be one of default, dedicated/],
    ["generations.blue.placementGroup", "", /is empty/],
    ["generations.blue.cpuCredits", "none", /must be one of standard, unlimited/],
    ["generations.blue.tags", { Name: "www" }, /\.Name: is Handover's own/],
    ["generations.blue.tags", { "handover:run": "1" }, /handover:run: is Handover's own/],
    ["generations.blue.tags", { "AWS:x": "1" }, /AWS:x: is AWS's own/],
    ["generations.blue.tags", { "": "1" }, /is empty|at least 1 character/],
    ["generations.blue.tags", { team: 7 }, /\.team: is no text without quotes; write "7"/],
    ["generations.blue.tags", { team: "a\tb" }, /\.team: has a character that cannot be printed/],
    ["generations.blue.tags", { [`k${"x".repeat(128)}`]: "" }, /must have at most 128 characters/],
    ["generations.blue.tags", { team: "x".repeat(257) }, /must have at most 256 characters/],
    ["generations.blue.tags", Object.fromEntries(Array.from({ length: 41 }, (_, i) => [`k${i}`, ""])), /AWS takes 50/],
    ["site.tags", { team: "a?b" }, /\.team: has a character that AWS does not take for every resource/],
    ["generations.green.inputs", { PORT: "1" }, /\.PORT: servers get 8080 from Handover, whatever is stated/],
    ["generations.green.inputs", { A: "a\0b" }, /\.A: has a NUL character/],
    ["generations.blue.array.schedules", { a: { recurrence: "0 25 * * *", minSize: 1 } }, /must be minute, hour/],
    ["generations.blue.array.schedules", { a: { recurrence: "0 8 * * mon-frx", minSize: 1 } }, /must be minute, hour/],
    ["generations.blue.array.schedules", { a: { recurrence: "*/0 * * * *", minSize: 1 } }, /must be minute, hour/],
    [
      "generations.blue.array.schedules",
      { a: { recurrence: "0 8 * * *", timeZone: "Europe/Atlantis", minSize: 1 } },
      /must be a time zone/,
    ],
    [
      "generations.blue.array.schedules",
      { a: { recurrence: "0 8 * * *", minSize: 3, maxSize: 2 } },
      /minSize must not be above maxSize/,
    ],
    [
      "generations.blue.array.schedules",
      { a: { recurrence: "0 8 * * *", maxSize: 2, desiredCapacity: 3 } },
      /desiredCapacity must be from the one to the other/,
    ],
    ...[
      [{}, {}],
      [{ metricIntervalUpperBound: 5 }, { metricIntervalLowerBound: 6 }],
      [{ metricIntervalLowerBound: 0, metricIntervalUpperBound: 9 }],
      [{ metricIntervalLowerBound: -5 }],
    ].map((bounds): [string, unknown, RegExp] => [
      "generations.blue.array.policies",
      { a: { stepScaling: { stepAdjustments: bounds.map((each) => ({ ...each, scalingAdjustment: 1 })) } } },
      /must be intervals without gaps or overlaps/,
    ]),
    ["upgrade.smoke", [{ path: "/a#b" }], /must be encoded as in a URL, without what follows a #/],
    ["upgrade.smoke", [{ path: "/", headers: { "x-a": "a\nb" } }], /must be a header's value: one line/],
    ["upgrade.shiftPercent", [], /is empty/],
  ];
  for (const [path, value, problem] of refused)
    it(`refuses ${JSON.stringify(value).slice(0, 60)} as ${path}, with its path, the rule and what would work`, () => {
      const problems = problemsOf((values) => {
        const keys = path.split(".");
        const last = keys.pop() ?? "";
        values.generations.blue.array ??= { minSize: 0, maxSize: 4 };
        keys.reduce((at, key) => at[key], values)[last] = value;
      });
      assert.ok(
        problems.length > 0 && problems.every((each) => each.startsWith(`handover:${path}`)),
        problems.join("\n"),
      );
      assert.match(problems.join("\n"), problem);
    });

  it("refuses credits for a type that has none, and tags that are too many together, by the generation's name", () => {
    const problems = problemsOf(({ site, generations: { blue } }) => {
      Object.assign(blue, { instanceType: "m7g.large", cpuCredits: "unlimited" });
      site.tags = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`site-${index}`, ""]));
      blue.tags = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`blue-${index}`, ""]));
    });
    assert.ok(problems.some((each) => /blue\.cpuCredits: is for burstable types.* not for m7g\.large/.test(each)));
    assert.ok(problems.some((each) => /blue\.tags: with the site's.* are 60/.test(each)));
  });

  it("merges tags key by key: the site's, those of what is extended, and the generation's own", () => {
    const { generations } = exampleConfig((values) => {
      values.site.tags = { a: "site", b: "site", c: "site" };
      values.generations.blue.tags = { b: "blue", c: "blue" };
      values.generations.green = { ...values.generations.green, extends: "blue", tags: { c: "green" } };
    });
    assert.deepEqual(generations.green?.tags, { a: "site", b: "blue", c: "green" });
  });

  it("takes what is at AWS's limits", () => {
    const problems = problemsOf(({ site, generations, upgrade }) => {
      site.loadBalancer.healthCheck = { path: `/${"x".repeat(1023)}`, intervalSeconds: 300, timeoutSeconds: 120 };
      Object.assign(generations.blue.inputs, { PORT: String(site.port), SITE: site.hostname });
      for (const { inputs = {} } of Object.values<{ inputs?: Record<string, string> }>(generations))
        assert.equal(inputs.GENERATION, undefined);
      upgrade.smoke = [{ path: "/a%20b?c=d&e='f'", headers: { "x-a": "" } }];
      generations.blue.array = {
        minSize: 0,
        maxSize: 4,
        schedules: {
          a: {
            recurrence: "*/5 0-23/2 1,15 jan-MAR mon,7",
            timeZone: "America/Argentina/Ushuaia",
            minSize: 2,
            maxSize: 2,
          },
        },
        policies: {
          a: {
            stepScaling: {
              stepAdjustments: [
                { metricIntervalLowerBound: 10, scalingAdjustment: 2 },
                { metricIntervalUpperBound: 0, scalingAdjustment: -1 },
                { metricIntervalLowerBound: 0, metricIntervalUpperBound: 10, scalingAdjustment: 1 },
              ],
            },
          },
        },
      };
    });
    assert.deepEqual(problems, []);
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
    ...wrongIdentities.map(([what, identify, problem]): [string, (values: Values) => void, RegExp] => [
      `who gave an answer, by ${what},`,
      (v) => {
        v.upgrade.identify = identify;
      },
      new RegExp(`^handover:upgrade\\.identify${problem.source}`),
    ]),
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
      "more named addresses than frontends",
      (v) => {
        v.site.elasticIps = ["eipalloc-1", "eipalloc-2", "eipalloc-3"];
      },
      /^handover:site\.elasticIps: 3 Elastic IPs need as many frontends, but generation "blue" has 2/,
    ],
    [
      "an address that is named twice",
      (v) => {
        v.site.elasticIps = ["eipalloc-1", "eipalloc-1"];
      },
      /^handover:site\.elasticIps: has an id twice/,
    ],
    [
      "an address in place of its allocation id",
      (v) => {
        v.site.elasticIps = ["198.51.100.7"];
      },
      /^handover:site\.elasticIps\[0\]: must be an Elastic IP's allocation id, for example eipalloc-/,
    ],
    [
      "addresses of two pools",
      (v) => {
        v.site.elasticIps = { count: 2, publicIpv4Pool: "ipv4pool-ec2-0a1b", ipamPoolId: "ipam-pool-0a1b" };
      },
      /^handover:site\.elasticIps: give either publicIpv4Pool or ipamPoolId beside count/,
    ],
    [
      "addresses of no pool",
      (v) => {
        v.site.elasticIps = { count: 2 };
      },
      /^handover:site\.elasticIps: give either publicIpv4Pool or ipamPoolId.*elasticIps: 2$/,
    ],
    [
      "a pool without a number",
      (v) => {
        v.site.elasticIps = { ipamPoolId: "ipam-pool-0a1b" };
      },
      /^handover:site\.elasticIps\.count: is missing; it must be a number/,
    ],
    [
      "a pool of another kind",
      (v) => {
        v.site.elasticIps = { count: 1, ipamPoolId: "ipv4pool-ec2-0a1b" };
      },
      /^handover:site\.elasticIps\.ipamPoolId: must be an IPAM pool's id/,
    ],
    [
      "addresses in a word",
      (v) => {
        v.site.elasticIps = "eipalloc-1";
      },
      /^handover:site\.elasticIps: must be a number, a list of allocation ids, \{ count, publicIpv4Pool \} or/,
    ],
    [
      "a number of addresses in quotes",
      (v) => {
        v.site.elasticIps = "2";
      },
      /^handover:site\.elasticIps: is the text "2", and must be a number; write it without quotes: 2/,
    ],
    [
      "too many addresses",
      (v) => {
        v.site.elasticIps = 101;
      },
      /^handover:site\.elasticIps: must be at most 100/,
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
