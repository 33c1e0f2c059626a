import assert from "node:assert/strict";
import { balancersIn } from "../../../automation/cloud/classic-balancers.ts";
import type { Known, Routing } from "../../../automation/cloud/routing.ts";
import { testHostProblems, waysIn } from "../../../automation/cloud/ways-in.ts";

const [own, other, theirs] = ["arn:blue", "arn:green", "arn:theirs"];
const known: Known = {
  generation: "blue",
  servers: [1, 2].map((number) => ({ instanceId: `i-${number}`, privateIp: `10.0.0.${number}` })),
  entries: [{ targetGroupArn: own, port: 8080, loadBalancerArn: "arn:alb", listenerPort: 80 }],
  testHostname: "test.example.com",
  array: "www-blue",
  addresses: ["eipalloc-1"],
};

const forward = (arn: string) => [{ Type: "forward" as const, TargetGroupArn: arn }];
const shared = (...arns: string[]) => [
  {
    Type: "forward" as const,
    ForwardConfig: { TargetGroups: arns.map((TargetGroupArn) => ({ TargetGroupArn, Weight: 0 })) },
  },
];
const hosts = (...Values: string[]) => ({ Field: "host-header", HostHeaderConfig: { Values } });
const target = (Id: string, Port = 8080, State = "healthy") => ({
  Target: { Id, Port },
  TargetHealth: { State: State as "healthy" },
});
const testRule = { Priority: "1", Conditions: [hosts("test.example.com")], Actions: forward(own) };

/** A site as Handover makes it, to be changed by a test. */
function made() {
  return {
    groups: [
      {
        group: { TargetGroupArn: own, TargetGroupName: "blue", LoadBalancerArns: ["arn:alb"] },
        targets: [target("i-1"), target("i-2"), target("i-array"), target("i-gone", 8080, "draining")],
      },
    ],
    balancers: [
      {
        balancer: { LoadBalancerArn: "arn:alb", LoadBalancerName: "www" },
        listeners: [{ listener: { Port: 80, DefaultActions: shared(own, other) }, rules: [structuredClone(testRule)] }],
      },
    ],
    classic: [{ name: "elsewhere", instanceIds: ["i-9"] }],
    grouped: [{ AutoScalingGroupName: "www-blue", InstanceId: "i-array" }],
    scalingGroups: [
      { AutoScalingGroupName: "www-blue", TargetGroupARNs: [own], Instances: [{ InstanceId: "i-array" }] },
      { AutoScalingGroupName: "theirs", TargetGroupARNs: [theirs] },
    ],
    addresses: [{ AllocationId: "eipalloc-1", PublicIp: "198.51.100.1", InstanceId: "i-1" }],
    furtherAddresses: ["10.0.0.1", "10.0.9.1", "2001:db8::1"],
  };
}

describe("the ways to servers of a site with two entries", () => {
  const admin = "arn:blue-admin";
  const two: Known = {
    ...known,
    entries: [...known.entries, { targetGroupArn: admin, port: 9000, loadBalancerArn: "arn:alb", listenerPort: 9443 }],
  };
  const site = (more: readonly object[] = [], targets = [target("i-1", 9000)]) => {
    const { groups, balancers, ...rest } = made();
    const [balancer] = balancers;
    const rules = [{ ...structuredClone(testRule), Actions: forward(admin) }, ...more];
    const second = { listener: { Port: 9443, DefaultActions: shared(admin) }, rules };
    const group = { TargetGroupArn: admin, TargetGroupName: "blue-Admin", LoadBalancerArns: ["arn:alb"] };
    return {
      ...{ ...rest, groups: [...groups, { group, targets }] },
      balancers: [{ ...balancer, listeners: [...(balancer?.listeners ?? []), second] }],
    } as unknown as Routing;
  };

  it("are none but the listeners of both, and the rules of the test host name", () => {
    assert.deepEqual(waysIn(two, site()), []);
    // To whoever does not know of the second, it is another way in.
    assert.equal(waysIn(known, site()).length, 1);
  });

  it("are a rule of the second listener, and what is registered in its group by hand", () => {
    const rule = { Priority: "7", Conditions: [hosts("api.example.com")] };
    for (const arn of [admin, own])
      assert.deepEqual(waysIn(two, site([{ ...rule, Actions: forward(arn) }])), [
        "rule 7 of the listener on port 9443 of load balancer www forwards to the target group of blue",
      ]);
    assert.deepEqual(waysIn(two, site([], [target("i-9", 9000), target("i-1", 8080)])), [
      "i-9 on port 9000 is registered in the target group of blue by hand",
      "i-1 on port 8080 is registered in the target group of blue by hand",
    ]);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: a test changes any part of what AWS says
const seen = (change: (site: any) => void = () => {}): string[] => {
  const all = made();
  change(all);
  return waysIn(known, all as unknown as Routing);
};

const group = (targets: object[], more: object = {}) => ({
  group: { TargetGroupArn: theirs, TargetGroupName: "theirs", LoadBalancerArns: ["arn:nlb"], ...more },
  targets,
});
const nlb = {
  balancer: { LoadBalancerArn: "arn:nlb", LoadBalancerName: "edge" },
  listeners: [{ listener: { Port: 443, DefaultActions: forward(theirs) }, rules: [] }],
};
/** Puts a target group behind another load balancer. */
const elsewhere =
  (targets: ReturnType<typeof group>) =>
  ({ groups, balancers }: ReturnType<typeof made>) => {
    groups.push(targets as never);
    balancers.push(nlb as never);
  };

describe("the ways to servers", () => {
  it("are those that Handover shifts, on a site as it makes one", () => {
    assert.deepEqual(seen(), []);
  });

  for (const [what, change, expected] of [
    [
      "a rule for a path",
      ({ balancers }: ReturnType<typeof made>) =>
        balancers[0]?.listeners[0]?.rules.push({
          Priority: "10",
          Conditions: [{ Field: "path-pattern" }],
          Actions: forward(own),
        } as never),
      "rule 10 of the listener on port 80 of load balancer www forwards to the target group of blue",
    ],
    [
      "a rule that shares with another group, with a weight of 0",
      ({ balancers }) =>
        balancers[0]?.listeners[0]?.rules.push({ Priority: "7", Conditions: [], Actions: shared(other, own) } as never),
      "rule 7 of the listener on port 80 of load balancer www forwards to the target group of blue",
    ],
    [
      "the test host name's rule with another name",
      ({ balancers }) => balancers[0]?.listeners[0]?.rules[0]?.Conditions.push(hosts("www.example.com")),
      "rule 1 of the listener on port 80 of load balancer www forwards to the target group of blue",
    ],
    [
      "another listener",
      ({ balancers }) =>
        balancers[0]?.listeners.push({ listener: { Port: 8443, DefaultActions: forward(own) as never }, rules: [] }),
      "the listener on port 8443 of load balancer www forwards to the target group of blue",
    ],
    [
      "another load balancer's listener on the same port",
      ({ balancers }) =>
        balancers.push({
          balancer: { LoadBalancerArn: "arn:alb2", LoadBalancerName: "old" },
          listeners: [{ listener: { Port: 80, DefaultActions: forward(own) as never }, rules: [] }],
        }),
      "the listener on port 80 of load balancer old forwards to the target group of blue",
    ],
    [
      "another target group, by instance id",
      elsewhere(group([target("i-2", 9090), target("i-7")])),
      "target group theirs has i-2, and gets requests from the listener on port 443 of load balancer edge",
    ],
    [
      "another target group, by private address",
      elsewhere(group([target("10.0.0.1")], { TargetType: "ip" })),
      "target group theirs has 10.0.0.1, and gets requests from the listener on port 443 of load balancer edge",
    ],
    [
      "another target group, by an address of another interface",
      elsewhere(group([target("10.0.9.1"), target("10.0.9.9")], { TargetType: "ip" })),
      "target group theirs has 10.0.9.1, and gets requests from the listener on port 443 of load balancer edge",
    ],
    [
      "another target group, by an address of IPv6",
      elsewhere(group([target("2001:db8::1")], { TargetType: "ip" })),
      "target group theirs has 2001:db8::1, and gets requests from the listener on port 443 of load balancer edge",
    ],
    [
      "another target group of a load balancer whose listeners are not known, a gateway's",
      ({ groups }) =>
        groups.push(group([target("i-1")], { Protocol: "GENEVE", LoadBalancerArns: ["arn:gwlb"] }) as never),
      "target group theirs has i-1, and gets requests from load balancer arn:gwlb",
    ],
    [
      "a server that somebody registered",
      ({ groups }) => groups[0]?.targets.push(target("i-8")),
      "i-8 on port 8080 is registered in the target group of blue by hand",
    ],
    [
      "a server on another port",
      ({ groups }) => groups[0]?.targets.push(target("i-1", 9090)),
      "i-1 on port 9090 is registered in the target group of blue by hand",
    ],
    [
      "a Classic Load Balancer",
      ({ classic }) => classic.push({ name: "old", instanceIds: ["i-9", "i-2"] }),
      "Classic Load Balancer old has i-2",
    ],
    [
      "an Auto Scaling group to which a server was attached",
      ({ grouped }) => grouped.push({ AutoScalingGroupName: "theirs", InstanceId: "i-1" }),
      "Auto Scaling group theirs has i-1",
    ],
    [
      "an Auto Scaling group that registers servers of its own",
      ({ scalingGroups }) =>
        scalingGroups.push({ AutoScalingGroupName: "batch", TrafficSources: [{ Identifier: own }] } as never),
      "Auto Scaling group batch registers its servers in the target group of blue",
    ],
    [
      "an Elastic IP",
      ({ addresses }) => addresses.push({ AllocationId: "eipalloc-9", PublicIp: "198.51.100.9", InstanceId: "i-2" }),
      "Elastic IP 198.51.100.9 is on i-2",
    ],
  ] as [string, (site: ReturnType<typeof made>) => unknown, string][])
    it(`are others where there is ${what}, and it is named`, () => {
      assert.deepEqual(seen(change), [expected]);
    });

  it("do not include what has nothing to do with them", () => {
    assert.deepEqual(
      seen(({ groups, balancers }) => {
        groups.push(group([target("i-9"), target("10.0.0.9")]));
        balancers.push(nlb);
        groups[0].targets.push(target("i-8", 8080, "unused"));
      }),
      [],
    );
  });
});

describe("the test host name", () => {
  const tested = {
    ...{ loadBalancerArn: "arn:alb", listenerPort: 80, testHostname: "test.example.com" },
    targetGroupArns: [own],
  };
  const problems = (...rules: object[]) =>
    testHostProblems(tested, [{ listener: { Port: 80 }, rules: rules as never }]);
  const catching = (Conditions: object[], Priority = "1") => ({ Priority, Conditions, Actions: forward(other) });

  it("has a rule of its own, before every other that takes its requests", () => {
    assert.deepEqual(problems(testRule, catching([hosts("*")], "2")), []);
    assert.deepEqual(problems(catching([hosts("www.example.com")]), { ...testRule, Priority: "5" }), []);
    assert.deepEqual(problems(catching([hosts("*.example.org")]), { ...testRule, Priority: "5" }), []);
  });

  for (const [what, conditions] of [
    ["a wildcard", [hosts("*.example.com")]],
    ["a question mark", [hosts("tes?.example.com")]],
    ["another case", [hosts("TEST.example.com")]],
    ["a path of every host", [{ Field: "path-pattern", PathPatternConfig: { Values: ["/api/*"] } }]],
    ["the same name, for other servers", [hosts("test.example.com")]],
    ["one of several names", [hosts("www.example.com", "test.example.com"), { Field: "http-header" }]],
    ["a regular expression", [{ Field: "host-header", HostHeaderConfig: { RegexValues: ["^test"] } }]],
  ] as const)
    it(`is caught by a rule before its own, by ${what}`, () => {
      assert.deepEqual(problems(catching([...conditions]), { ...testRule, Priority: "9" }), [
        "rule 1 of the listener on port 80 comes before the test host name's own rule, and takes requests for test.example.com",
      ]);
    });

  it("is told to have no rule, or one that stands for more", () => {
    assert.deepEqual(problems(), ["the listener on port 80 has no rule for just test.example.com"]);
    assert.equal(problems({ ...testRule, Conditions: [hosts("test.example.com", "www.example.com")] }).length, 2);
    assert.deepEqual(testHostProblems(tested, []), ["the load balancer has no listener on port 80"]);
  });
});

describe("Classic Load Balancers in an answer of AWS", () => {
  it("have the instances of their own, in whatever order their elements come", () => {
    const member = (text: string) => `<member>${text}</member>`;
    const name = (text: string) => `<LoadBalancerName>${text}</LoadBalancerName>`;
    const instances = (...ids: string[]) =>
      `<Instances>${ids.map((id) => member(`<InstanceId>${id}</InstanceId>`)).join("")}</Instances>`;
    const listeners = `<ListenerDescriptions>${member("<PolicyNames/><Listener><Protocol>HTTP</Protocol></Listener>")}</ListenerDescriptions>`;
    const list =
      member(`${instances("i-1", "i-2")}${listeners}${name("first")}`) +
      member(name("second") + instances("i-3")) +
      member(name("none") + listeners);
    const xml = `<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancerDescriptions>${list}</LoadBalancerDescriptions></DescribeLoadBalancersResult></DescribeLoadBalancersResponse>`;
    assert.deepEqual(balancersIn(xml), [
      { name: "first", instanceIds: ["i-1", "i-2"] },
      { name: "second", instanceIds: ["i-3"] },
      { name: "none", instanceIds: [] },
    ]);
    assert.deepEqual(balancersIn("<LoadBalancerDescriptions/>"), []);
  });
});
