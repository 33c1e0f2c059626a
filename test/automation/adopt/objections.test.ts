import assert from "node:assert/strict";
import { describe as describeSite } from "../../../automation/adopt/adopt.ts";
import { listenerOn, targetGroupOf } from "../../../automation/adopt/forwarding.ts";
import { HandoverError } from "../../../automation/errors.ts";
import { ConfigError } from "../../../stacks/config.ts";
import { asked, changed, facts } from "./facts.ts";

const { listener } = facts();
const forward = listener.listener.DefaultActions;

const cases: readonly [string, Parameters<typeof changed>[0], RegExp][] = [
  [
    "servers that differ",
    ({ instances }) => {
      instances[0].ImageId = "ami-0a1b2c3d4e5f60009";
      instances[2].InstanceType = "t3.large";
    },
    /instanceType is t3\.small at i-0000000000000002, and t3\.large at i-0000000000000003; imageId is ami-0a1b2c3d4e5f60001 at i-0000000000000002, and ami-0a1b2c3d4e5f60009 at i-0000000000000001/,
  ],
  [
    "servers of other root volumes",
    ({ volumes }) => {
      volumes[0].Size = 30;
    },
    /rootBlockDevice is \{"volumeSize":20,.*"volumeSize":30/,
  ],
  [
    "servers in other security groups",
    ({ instances }) => {
      instances[0].SecurityGroups.push({ GroupId: "sg-0000000000000009" });
    },
    /securityGroups is \["sg-0000000000000002"\]/,
  ],
  [
    "servers of an Auto Scaling group",
    ({ instances }) => {
      instances[1].Tags.push({ Key: "aws:autoscaling:groupName", Value: "www" });
    },
    /i-0000000000000002 \(www\).*aws autoscaling detach-instances/,
  ],
  [
    "an image that is gone",
    (all) => {
      all.image = undefined;
    },
    /Image ami-0a1b2c3d4e5f60001 of the servers is gone/,
  ],
  [
    "servers that are not healthy",
    ({ targets }) => {
      for (const { TargetHealth } of targets) TargetHealth.State = "unhealthy";
    },
    /while all of its servers are healthy: i-0000000000000001 is unhealthy, i-0000000000000002 is/,
  ],
  [
    "a server on a port of its own",
    ({ targets }) => {
      targets[1].Target.Port = 9090;
    },
    /i-0000000000000002 is registered on port 9090, and the target group's is 8080/,
  ],
  [
    "a server with two addresses",
    ({ addresses }) => {
      addresses[1].InstanceId = "i-0000000000000002";
      addresses[1].PrivateIpAddress = "10.0.0.2";
    },
    /i-0000000000000002 holds 2 Elastic IPs \(192\.0\.2\.1 and 192\.0\.2\.2\)/,
  ],
  [
    "an address on a second private address",
    ({ addresses }) => {
      addresses[0].PrivateIpAddress = "10.0.0.99";
    },
    /192\.0\.2\.1 is associated with 10\.0\.0\.99 of i-0000000000000002/,
  ],
  [
    "another way to its servers",
    ({ otherWays }) => {
      otherWays.push("rule 7 of the listener on port 80 of load balancer www forwards to the target group of blue");
    },
    /^rule 7 of .*, and Handover shifts only the default action of the listener on port 80/,
  ],
  [
    "a rule in the place of the test host name's",
    ({ listener: { rules } }) => {
      rules.push({ Priority: "1", RuleArn: "arn:rule", Actions: [] });
    },
    /set-rule-priorities --rule-priorities RuleArn=arn:rule/,
  ],
  [
    "a target group that speaks HTTPS",
    ({ targetGroup }) => {
      targetGroup.Protocol = "HTTPS";
    },
    /Target group www speaks HTTPS/,
  ],
  [
    "health checks on another port",
    ({ targetGroup }) => {
      targetGroup.HealthCheckPort = "8081";
    },
    /checks health on port 8081/,
  ],
  [
    "stickiness by the application's cookie",
    ({ attributes }) => {
      Object.assign(attributes, { "stickiness.enabled": "true", "stickiness.type": "app_cookie" });
    },
    /sticky by app_cookie/,
  ],
];

const group = (name: string) => ({ TargetGroupArn: name });
const on = (Port: number, DefaultActions: readonly object[]) => {
  return { listener: { Port, DefaultActions: DefaultActions as never }, rules: [] };
};
const redirecting = on(80, [{ Type: "redirect" }]);
const refused = (problem: RegExp) => (error: unknown) =>
  error instanceof HandoverError && error.exitCode === 1 && problem.test(error.message);

describe("a site that cannot be adopted", () => {
  for (const [what, change, problem] of cases) {
    it(`has ${what}: exit code 1, and one problem`, () => {
      assert.throws(
        () => describeSite(asked, changed(change)),
        (error: unknown) => refused(problem)(error) && (error as Error).message.split("\n").length === 2,
      );
    });
  }

  it("is told with all of its problems at once", () => {
    const facts = changed(({ targets, targetGroup }) => {
      targets[0].TargetHealth.State = "draining";
      targetGroup.HealthCheckProtocol = "HTTPS";
    });
    assert.throws(() => describeSite(asked, facts), refused(/by HTTPS[\s\S]*is draining[\s\S]*Nothing was written/));
  });

  it("has a name that is none", () => {
    assert.throws(
      () =>
        describeSite(
          { ...asked, hostname: "www" },
          changed(() => {}),
        ),
      (error) => error instanceof ConfigError && /handover:site\.hostname: must be a host name/.test(error.message),
    );
  });

  it("has no listener, or none on that port, or several that forward", () => {
    assert.throws(() => listenerOn(undefined, [redirecting]), refused(/\(ports: 80\) forwards to a target group/));
    assert.throws(() => listenerOn(8443, [redirecting]), refused(/no listener on port 8443; ports: 80/));
    const two = [on(443, forward), on(8080, forward)];
    assert.throws(() => listenerOn(undefined, two), refused(/ports 443 and 8080.*--listener-port/));
    assert.equal(listenerOn(8080, two), two[1]);
    assert.equal(listenerOn(undefined, [redirecting, on(443, forward)]).listener.Port, 443);
  });

  it("has a listener that does more than to forward, or to several target groups", () => {
    assert.throws(
      () => targetGroupOf({ Port: 443, DefaultActions: [{ Type: "authenticate-oidc" }, ...forward] as never }),
      refused(/port 443 does not just forward \(authenticate-oidc, then forward\)/),
    );
    const several = [{ Type: "forward" as const, ForwardConfig: { TargetGroups: [group("a"), group("b")] } }];
    assert.throws(() => targetGroupOf({ Port: 80, DefaultActions: several }), refused(/2 target groups: a, b/));
  });
});
