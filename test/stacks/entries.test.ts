import assert from "node:assert/strict";
import { problemsOfAwsKeys } from "../../stacks/config/aws-keys.ts";
import { type Config, ConfigError } from "../../stacks/config.ts";
import { objection } from "../../stacks/guard.ts";
import { intent, settled, shapeOf } from "../../stacks/intent.ts";
import type { LastOutputs } from "../../stacks/outputs.ts";
import { namesOf, only, type Registered, resourcesOf } from "./resources.ts";
import { exampleConfig, problemsOf } from "./shape.ts";

const admin = { port: 9000, listeners: [{ port: 9443 }] };

/** The example site with entries beside its first. */
function siteWith(entries: object, change: Parameters<typeof exampleConfig>[0] = () => {}): Config {
  return exampleConfig((values) => {
    values.site.entries = entries;
    change(values);
  });
}

const resourcesIn = (config: Config, row: "connect" | "drain" | "settled"): Promise<readonly Registered[]> => {
  const shape = shapeOf(config);
  const desired = row === "settled" ? settled(shape, "blue") : intent(shape, "blue", "green", row, 1);
  return resourcesOf(desired, config);
};

describe("a site with an entry beside its first", () => {
  it("has a listener, a rule of the test host name, and of each generation a target group with its servers", async () => {
    const alone = namesOf(await resourcesIn(exampleConfig(), "settled"));
    const both = namesOf(await resourcesIn(siteWith({ admin }), "settled"));
    assert.deepEqual(
      both.filter((name) => !alone.includes(name)),
      [
        "Listener site.admin",
        "ListenerRule site.admin.test",
        "TargetGroup blue-Admin",
        "TargetGroupAttachment blue-1.admin",
        "TargetGroupAttachment blue-2.admin",
      ],
    );
    assert.deepEqual(
      alone.filter((name) => !both.includes(name)),
      [],
    );
  });

  it("shares the requests of both alike, and tests the same generation by both", async () => {
    const resources = await resourcesIn(siteWith({ admin }), "connect");
    const shares = (listener: string) =>
      only(resources, "Listener", listener).defaultActions[0].forward.targetGroups.map(
        ({ weight }: { weight: number }) => weight,
      );
    assert.deepEqual(shares("site.admin"), shares("site"));
    assert.deepEqual(
      only(resources, "Listener", "site.admin").defaultActions[0].forward.targetGroups.map(
        ({ arn }: { arn: string }) => arn,
      ),
      ["arn:blue-Admin", "arn:green-Admin"],
    );
    const tested = ["site-test", "site.admin.test"].map(
      (rule) => only(resources, "ListenerRule", rule).actions[0].targetGroupArn,
    );
    assert.deepEqual(tested, ["arn:green", "arn:green-Admin"]);
  });

  it("takes old servers out of both in one step", async () => {
    const attached = namesOf(await resourcesIn(siteWith({ admin }), "drain")).filter((name) =>
      name.startsWith("TargetGroupAttachment"),
    );
    assert.deepEqual(attached, [
      "TargetGroupAttachment green-1",
      "TargetGroupAttachment green-1.admin",
      "TargetGroupAttachment green-2",
      "TargetGroupAttachment green-2.admin",
    ]);
  });

  it("registers an array's servers in both, and opens its ports to the load balancer alone", async () => {
    const config = siteWith({ admin: { ...admin, healthCheck: { port: 9001 }, smoke: [{ path: "/" }] } }, (values) => {
      values.generations.blue.array = { minSize: 1, maxSize: 2 };
    });
    const resources = await resourcesIn(config, "settled");
    assert.deepEqual(only(resources, "Group", "blue").targetGroupArns, ["arn:blue", "arn:blue-Admin"]);
    assert.equal(only(resources, "TargetGroup", "blue-Admin").healthCheck.port, "9001");
    const [own, world] = [{ securityGroups: ["site-load-balancer-id"] }, { cidrBlocks: ["0.0.0.0/0"] }];
    const port = (number: number) => ({ protocol: "tcp", fromPort: number, toPort: number });
    const open = (group: string) => only(resources, "SecurityGroup", group).ingress;
    const { port: sitePort, loadBalancer } = config.site;
    const { port: listenerPort = 0 } = loadBalancer;
    assert.deepEqual(open("site-frontends"), [
      { ...port(sitePort), ...world },
      { ...port(9000), ...own },
      { ...port(9001), ...own },
    ]);
    assert.deepEqual(open("site-load-balancer"), [
      { ...port(listenerPort), ...world },
      { ...port(9443), ...world },
    ]);
  });
});

describe("a load balancer with several listeners", () => {
  const certificates = ["a", "b"].map((name) => `arn:aws:acm:us-east-1:123456789012:certificate/${name}`);
  const https = { port: 443, certificateArns: certificates, sslPolicy: "ELBSecurityPolicy-TLS13-1-3-2021-06" };
  const balanced = (loadBalancer: object, change: Parameters<typeof exampleConfig>[0] = () => {}) =>
    exampleConfig((values) => {
      const { port: _, ...settings } = values.site.loadBalancer;
      values.site.loadBalancer = { ...settings, ...loadBalancer };
      change(values);
    });
  const refused = (loadBalancer: object, change: Parameters<typeof exampleConfig>[0] = () => {}) => {
    try {
      balanced(loadBalancer, change);
      return "";
    } catch (error) {
      return error instanceof ConfigError ? error.problems.join("\n") : assert.fail(String(error));
    }
  };

  it("has its further certificates, and sends clients from one port to another", async () => {
    const config = balanced({
      listeners: [https, { port: 80, redirectTo: 443 }],
      idleTimeoutSeconds: 120,
      accessLogs: { bucket: "logs" },
      internal: true,
    });
    const resources = await resourcesIn(config, "settled");
    const { certificateArn, protocol, sslPolicy } = only(resources, "Listener", "site");
    assert.deepEqual([certificateArn, protocol, sslPolicy], [certificates[0], "HTTPS", https.sslPolicy]);
    assert.deepEqual(only(resources, "ListenerCertificate", "site.b"), {
      listenerArn: "arn:site",
      certificateArn: certificates[1],
    });
    const { port, defaultActions, protocol: plain } = only(resources, "Listener", "site.80");
    assert.deepEqual([port, plain], [80, "HTTP"]);
    assert.deepEqual(defaultActions, [
      { type: "redirect", redirect: { port: "443", protocol: "HTTPS", statusCode: "HTTP_301" } },
    ]);
    const { idleTimeout, accessLogs, internal } = only(resources, "LoadBalancer", "site");
    assert.deepEqual([idleTimeout, accessLogs, internal], [120, { bucket: "logs", enabled: true }, true]);
    const ports = only(resources, "SecurityGroup", "site-load-balancer").ingress.map(
      ({ fromPort }: { fromPort: number }) => fromPort,
    );
    assert.deepEqual(ports, [443, 80]);
  });

  it("is the same as with port and certificateArn where there is one", async () => {
    const [certificateArn] = certificates;
    const listeners = [{ port: 443, certificateArns: [certificateArn] }];
    const [one, other] = [balanced({ listeners }), balanced({ port: 443, certificateArn })];
    assert.deepEqual(await resourcesIn(one, "connect"), await resourcesIn(other, "connect"));
  });

  for (const [what, loadBalancer, expected] of [
    [
      "a redirect to a port that has no listener",
      { listeners: [https, { port: 80, redirectTo: 8443 }] },
      /^handover:site\.loadBalancer\.listeners: port 80 redirects to 8443, which has no listener that reaches the servers; those that do: 443$/,
    ],
    [
      "a redirect to itself",
      { listeners: [https, { port: 80, redirectTo: 80 }] },
      /port 80 redirects to 80, which is itself/,
    ],
    [
      "a redirect to a redirect",
      { listeners: [https, { port: 80, redirectTo: 443 }, { port: 81, redirectTo: 80 }] },
      /port 81 redirects to 80, which has no listener that reaches the servers/,
    ],
    [
      "redirects alone",
      { listeners: [{ port: 80, redirectTo: 443 }] },
      /^handover:site\.loadBalancer\.listeners: has none that reaches the servers/,
    ],
    [
      "two that reach the servers",
      { listeners: [https, { port: 80 }] },
      /^handover:site\.loadBalancer\.listeners: has 2 that reach the servers \(443, 80\)/,
    ],
    [
      "a port twice",
      { listeners: [https, { port: 443, certificateArns: certificates, redirectTo: 443 }] },
      /^handover:site\.loadBalancer\.listeners: port 443 has a listener already/,
    ],
    [
      "HTTPS without a certificate",
      { listeners: [{ port: 443 }] },
      /listeners\[0\]\.certificateArns: is missing: clients speak HTTPS on port 443/,
    ],
    [
      "a policy of TLS without a certificate",
      { listeners: [{ port: 8443, sslPolicy: https.sslPolicy }] },
      /listeners\[0\]\.sslPolicy: is for a listener that speaks HTTPS/,
    ],
    [
      "a certificate twice",
      { listeners: [{ port: 443, certificateArns: [certificates[0], certificates[0]] }] },
      /certificateArns: has an id twice/,
    ],
    [
      "listeners and a port",
      { port: 80, listeners: [https] },
      /^handover:site\.loadBalancer\.port: stands beside listeners/,
    ],
    ["neither", {}, /^handover:site\.loadBalancer\.port: is missing/],
  ] as const)
    it(`is refused with ${what}, in one line`, () => {
      const problem = refused(loadBalancer);
      assert.equal(problem.split("\n").length, 1, problem);
      assert.match(problem, expected);
    });

  it("is refused where it was adopted, and would keep what it has in silence", () => {
    const adopted = (values: { site: { adopted?: string } }) => {
      values.site.adopted = "blue";
    };
    const settings = { listeners: [https], idleTimeoutSeconds: 30, accessLogs: { bucket: "logs" }, internal: true };
    const problems = refused(settings, adopted as never).split("\n");
    assert.deepEqual(
      problems.map((problem) => problem.split(":").slice(0, 2).join(":")),
      Object.keys(settings).map((key) => `handover:site.loadBalancer.${key}`),
    );
    assert.equal(refused({ port: 80 }, adopted as never), "");
  });

  it("is refused with a certificate of another region, wherever that stands", () => {
    const of = (arns: readonly string[]) => ({ listeners: [{ port: 443, certificateArns: arns }] });
    const elsewhere = "arn:aws:acm:eu-west-1:123456789012:certificate/c";
    const site = { loadBalancer: of([...certificates, elsewhere]), entries: { admin: of([elsewhere]) } };
    assert.deepEqual(
      problemsOfAwsKeys({ "aws:region": "us-east-1", "handover:site": site }).map((problem) => problem.split(":")[1]),
      ["site.loadBalancer.listeners[0].certificateArns[2]", "site.entries.admin.listeners[0].certificateArns[0]"],
    );
  });
});

describe("an entry is refused", () => {
  const refusals: readonly (readonly [string, object, RegExp])[] = [
    [
      "on a port that has a listener",
      { ...admin, listeners: [{ port: 80 }] },
      /^handover:site\.entries\.admin\.listeners: port 80 has a listener already, of handover:site\.loadBalancer\.port;/,
    ],
    ["without a listener", { port: 9000 }, /^handover:site\.entries\.admin\.listeners: is missing/],
    ["with no listeners", { ...admin, listeners: [] }, /^handover:site\.entries\.admin\.listeners: is empty/],
    ["without a port", { listeners: admin.listeners }, /^handover:site\.entries\.admin\.port: is missing/],
    [
      "with a certificate that is none of ACM",
      { ...admin, listeners: [{ port: 9443, certificateArns: ["www"] }] },
      /certificateArns\[0\]: must be the ARN of an ACM certificate/,
    ],
    [
      "with a health check elsewhere, and no page of its own",
      { ...admin, healthCheck: { port: 9001 } },
      /^handover:site\.entries\.admin\.smoke: is needed where the health check has a port of its own/,
    ],
    [
      "with a check that is late",
      { ...admin, healthCheck: { timeoutSeconds: 5 } },
      /healthCheck\.timeoutSeconds: must be less than intervalSeconds/,
    ],
    [
      "with a protocol that is no entry's",
      { ...admin, protocol: "TCP" },
      /^handover:site\.entries\.admin\.protocol: unknown key/,
    ],
    ["with a rule of a shared listener", { ...admin, rule: {} }, /^handover:site\.entries\.admin\.rule: unknown key/],
  ];
  for (const [what, entry, expected] of refusals)
    it(`${what}, in one line`, () => {
      const problems = problemsOf(({ site }) => {
        site.loadBalancer.port = 80;
        site.entries = { admin: entry };
      });
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", expected);
    });

  it("with a port that another has", () => {
    const problems = problemsOf(({ site }) => {
      site.entries = { admin, api: { port: 9001, listeners: [{ port: 9443 }] } };
    });
    assert.match(
      problems.join(),
      /entries\.api\.listeners: port 9443 has a listener already, of handover:site\.entries\.admin\.listeners;/,
    );
  });

  it("where AWS would not take the names of its target groups, and not one character before", () => {
    const problems = (name: string) =>
      problemsOf(({ site, generations }) => {
        site.entries = { [name]: admin };
        generations["release-2026-11x"] = { extends: "blue" };
      });
    assert.deepEqual(problems("metrics"), []);
    assert.match(
      problems("metrics2").join(),
      /entries\.metrics2: AWS takes 32 characters.*generation "release-2026-11x"/,
    );
    assert.match(problems("Admin").join(), /an entry's name has 1 to 16 of a-z/);
    assert.match(problems("a.b").join(), /an entry's name has 1 to 16 of a-z/);
  });
});

describe("an entry that serves", () => {
  const { blue } = exampleConfig().generations;
  const outputsOf = (entries: object, run: unknown = null) => {
    const targets = { targetGroupArn: "arn", port: 8080, frontends: [], weight: 100, registered: true };
    const ofEntries = Object.fromEntries(
      Object.keys(entries).map((name) => [name, { targetGroupArn: "a", port: 9000 }]),
    );
    return {
      outputs: {
        live: "blue",
        run,
        addresses: ["a", "b"],
        entries,
        generations: { blue: { ...targets, entries: ofEntries } },
      },
      definitions: {
        blue: { imageId: blue?.imageId, instanceType: blue?.instanceType, userDataDigest: "", frontends: 2 },
      },
    } as unknown as LastOutputs;
  };
  const told = (config: Config, last: LastOutputs) => objection(config, last, () => "") ?? "";

  it("keeps its port: its target group would be another", () => {
    const config = siteWith({ admin: { ...admin, port: 9001 } });
    assert.match(told(config, outputsOf({ admin })), /^handover:site\.entries\.admin\.port: was 9000 and is 9001/);
    assert.equal(told(siteWith({ admin }), outputsOf({ admin })), "");
  });

  it("neither comes nor goes together with a new generation", () => {
    const toGreen = (values: object) => void Object.assign(values, { live: "green", phase: "backup" });
    assert.match(
      told(siteWith({}, toGreen), outputsOf({ admin })),
      /^handover:site\.entries\.admin: is gone, but it serves/,
    );
    assert.match(told(siteWith({ admin }, toGreen), outputsOf({})), /^handover:site\.entries\.admin: is new/);
    assert.equal(told(siteWith({ admin }, toGreen), outputsOf({ admin })), "");
    assert.equal(told(siteWith({ admin }), outputsOf({})), "");
    const outside = (values: object) => void Object.assign(values, { run: { id: "deploy", from: "blue", to: "blue" } });
    assert.equal(told(siteWith({ admin }, outside), outputsOf({})), "");
    assert.equal(told(siteWith({}), outputsOf({ admin })), "");
  });
});
