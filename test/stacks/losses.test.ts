import assert from "node:assert/strict";
import { intent, settled, shapeOf } from "../../stacks/intent.ts";
import { cutOff, misplaced, moved, placeOf, releases, shrunk, shutIn } from "../../stacks/losses.ts";
import type { LastOutputs, Outputs } from "../../stacks/outputs.ts";
import type { IntentRow } from "../../stacks/runbook.ts";
import { exampleConfig, type exampleValues, problemsOf } from "./shape.ts";

type Change = (values: ReturnType<typeof exampleValues>) => void;

const config = exampleConfig();
const shape = shapeOf(config);
const ips = ["198.51.100.1", "198.51.100.2"];

/** The outputs that an update to an intent leaves. */
function left(desired = settled(shape, "blue"), more: object = {}): LastOutputs {
  const generations = Object.entries(desired.generations).map(([name, { frontends, registered }]) => {
    const names = Array.from({ length: frontends }, (_, index) => `${name}-${index + 1}`);
    const servers = names.map((each) => ({ name: each, instanceId: `i-${each}` }));
    return [name, { frontends: servers, registered, weight: desired.weights[name] ?? 0, ...more }];
  });
  const addresses = ips.map((publicIp, index) => {
    const { generation, frontend } = desired.addresses[index] ?? { generation: "", frontend: 0 };
    return {
      publicIp,
      allocationId: `eipalloc-${index + 1}`,
      protected: true,
      instanceId: `i-${generation}-${frontend + 1}`,
    };
  });
  const outputs = { live: desired.live, generations: Object.fromEntries(generations), addresses, run: null };
  return { outputs: outputs as unknown as Outputs, definitions: {} };
}

const at = (row: IntentRow, step?: number) => intent(shape, "blue", "green", row, step);

describe("what an update would take away", () => {
  it("is refused where fewer servers are declared than serve, and what is advised ends none", () => {
    const fewer = exampleConfig((values) => {
      values.site.elasticIps = 1;
      values.generations.blue.frontends = 1;
    });
    const said = shrunk(fewer, left()) ?? "";
    assert.match(said, /^handover:generations\.blue\.frontends: is 1, but blue has 2 servers in use.*Put it back/);
    assert.equal(shrunk(config, left()), undefined);
    assert.equal(shrunk(config, undefined), undefined);
  });

  it("is refused where the array of a generation in use is not declared any more", () => {
    assert.match(shrunk(config, left(undefined, { array: { name: "www-1" } })) ?? "", /group www-1 of blue is in use/);
  });

  it("is the way to the Internet of servers that have traffic, where the step that gives it away was left out", () => {
    assert.match(shutIn(at("move-addresses"), left(at("connect"))) ?? "", /^blue has 50% .* handover:step 1/);
    assert.match(shutIn(at("withdraw", 2), left(at("observe"))) ?? "", /^green has 100%/);
    assert.equal(shutIn(at("move-addresses", 1), left(at("connect"))), undefined);
    assert.equal(shutIn(at("move-addresses"), left(at("move-addresses", 1))), undefined);
    assert.equal(shutIn(at("withdraw", 2), left(at("connect"))), undefined);
  });

  it("is nothing on the way through the runbook and back, one row after the other", () => {
    const rows: [IntentRow, number?][] = [
      ...(["backup", "migrate", "launch-first", "launch-rest"] as const).map((row): [IntentRow] => [row]),
      ...([1, 2] as const).map((step): [IntentRow, number] => ["connect", step]),
      ...(["suspend-array", "move-addresses", "resume-array", "observe", "drain"] as const).map((row): [IntentRow] => [
        row,
      ]),
    ];
    const all = [settled(shape, "blue"), ...rows.map(([row, step]) => at(row, step))];
    for (const [index, next] of all.entries()) assert.equal(cutOff(next, left(all[index - 1])), undefined);
    assert.equal(cutOff(at("retire"), left(at("drain"))), undefined);
    const back = [at("observe"), at("withdraw", 1), at("withdraw", 2), settled(shape, "blue")];
    for (const [index, next] of back.entries())
      assert.equal(cutOff(next, left(back[index - 1] ?? at("drain"))), undefined);
    assert.equal(cutOff(settled(shape, "blue"), left(at("launch-rest"))), undefined);
  });

  it("is refused where a step is left out, so that servers would end in the middle of their requests", () => {
    for (const [now, before, problem] of [
      [settled(shape, "blue"), at("connect"), /^green has 50% of the traffic/],
      [at("launch-first"), at("observe"), /^green has 100% of the traffic/],
      [at("withdraw", 3), at("observe"), /^green has 100% of the traffic/],
      [at("drain"), at("connect"), /^blue has 50% of the traffic/],
      [at("retire"), at("connect"), /^blue has 50% of the traffic/],
      [at("retire"), at("observe"), /^the servers of blue are still in the load balancer.*drain first/],
    ] as const)
      assert.match(cutOff(now, left(before)) ?? "", problem);
  });
});

describe("an Elastic IP", () => {
  const fewer = (change: Change = () => {}) =>
    exampleConfig((values) => {
      values.site.elasticIps = 1;
      change(values);
    });
  const named: Change = (values) => {
    values.site.releaseAddresses = [ips[1]];
  };
  const unprotected = () => {
    const last = left();
    const addresses = last.outputs.addresses.map((address) => ({ ...address, protected: false }));
    return { ...last, outputs: { ...last.outputs, addresses } };
  };

  it("is not released because fewer are declared, and the message names the one that would be", () => {
    assert.match(
      releases(fewer(), left(), true) ?? "",
      /^handover:site\.elasticIps: was 2 and is 1: 198\.51\.100\.2 would be released.*Put it back to 2\. Only where nobody uses/,
    );
    assert.equal(releases(config, left(), true), undefined);
    assert.equal(releases(config, undefined, true), undefined);
  });

  it("is released only when it is named, its protection was taken off before, and no run is under way", () => {
    assert.equal(releases(fewer(named), unprotected(), true), undefined);
    assert.ok(releases(fewer(named), left(), true));
    assert.ok(releases(fewer(named), unprotected(), false));
    assert.ok(releases(fewer(), unprotected(), true));
    const another: Change = (values) => {
      values.site.releaseAddresses = [ips[0]];
    };
    assert.ok(releases(fewer(another), unprotected(), true));
  });

  const listed = (ids: readonly string[], change: Change = () => {}) =>
    exampleConfig((values) => {
      values.site.elasticIps = ids;
      change(values);
    });
  /** As an update leaves a site whose file names them. */
  const namedBefore = (isProtected: boolean) => {
    const last = left();
    const addresses = last.outputs.addresses.map((address) => ({
      ...{ ...address, protected: isProtected },
      named: true as const,
    }));
    return { ...last, outputs: { ...last.outputs, addresses } };
  };

  it("keeps its place and its server, however the file states it", () => {
    const own = ["eipalloc-1", "eipalloc-2"];
    assert.equal(misplaced(config, left()), undefined);
    assert.equal(misplaced(listed(own), left()), undefined, "a list of the site's own");
    assert.equal(misplaced(listed(own), undefined), undefined);
    assert.equal(misplaced(listed(own), namedBefore(true)), undefined);
    assert.equal(misplaced(listed(own.slice(0, 1)), left()), undefined, "one less is told as that");
    const swapped = /^handover:site\.elasticIps\[0\]: is eipalloc-2, and 198\.51\.100\.1 \(eipalloc-1\) has that place/;
    assert.match(misplaced(listed(own.toReversed()), left()) ?? "", swapped);
    assert.match(misplaced(listed(["eipalloc-1", "eipalloc-9"]), left()) ?? "", /\[eipalloc-1, eipalloc-2\]$/);
    assert.match(misplaced(listed(["eipalloc-2"]), left()) ?? "", swapped, "the first cannot go alone");
  });

  it("that the file names is not replaced by one of the stack's own", () => {
    const said =
      /^handover:site\.elasticIps: names 198\.51\.100\.1, 198\.51\.100\.2 no more.*\[eipalloc-1, eipalloc-2\]$/;
    assert.match(misplaced(config, namedBefore(true)) ?? "", said);
    const fromPool: Change = (values) => {
      values.site.elasticIps = { count: 2, ipamPoolId: "ipam-pool-0a1b" };
    };
    assert.match(misplaced(exampleConfig(fromPool), namedBefore(true)) ?? "", said);
    assert.equal(misplaced(exampleConfig(fromPool), left()), undefined, "those that are there stay as they are");
  });

  it("that was imported is not named before the stack has it", () => {
    const adopted: Change = (values) => {
      values.site.adopted = "blue";
    };
    const said = misplaced(listed(["eipalloc-1", "eipalloc-2"], adopted), undefined) ?? "";
    assert.match(said, /imported first.*Write their number until the first `pulumi up`: elasticIps: 2$/);
    assert.equal(misplaced(listed(["eipalloc-1", "eipalloc-2"], adopted), left()), undefined);
  });

  it("that the file names leaves its server only when it may be given up, and stays the account's", () => {
    const one = ["eipalloc-1"];
    const said = releases(listed(one), namedBefore(true), true) ?? "";
    assert.match(said, /was 2 and is 1: 198\.51\.100\.2 would be on no server/);
    assert.match(said, /Put it back to 2\. .*releaseAddresses.*with the shorter list then takes it off its server$/);
    assert.doesNotMatch(said, /would be released/);
    assert.equal(releases(listed(one, named), namedBefore(false), true), undefined);
    assert.ok(releases(listed(one, named), namedBefore(true), true));
    assert.match(releases(listed(one), left(), true) ?? "", /198\.51\.100\.2 would be released.*then releases it$/);
  });

  it("is named as an address, and no message says to lower their number", () => {
    const wrong = problemsOf((values) => {
      values.site.releaseAddresses = ["second"];
    });
    assert.match(wrong.join(), /releaseAddresses\[0\]: must be an IPv4 address/);
    const tooFew = problemsOf((values) => {
      values.generations.blue.frontends = 1;
    });
    assert.match(tooFew.join(), /raise handover:generations\.blue\.frontends to 2(,|$)/);
    assert.doesNotMatch(tooFew.join(), /lower/);
  });
});

describe("the place of live servers", () => {
  const inVpc =
    (subnetIds: string[], more: object = {}, site: object = {}): Change =>
    (values) => {
      Object.assign(values.site, { network: { vpcId: "vpc-1", subnetIds, ...more }, ...site });
    };
  const launchedIn = (change: Change): LastOutputs => {
    const place = placeOf(exampleConfig(change), "blue");
    return { ...left(), definitions: { blue: { place } } as unknown as LastOutputs["definitions"] };
  };
  const before = inVpc(["subnet-1", "subnet-2"]);

  it("stays: another network, other subnets or another order of them are refused", () => {
    const last = launchedIn(before);
    for (const change of [
      inVpc(["subnet-2", "subnet-1"]),
      inVpc(["subnet-1", "subnet-2"], { frontendSubnetIds: ["subnet-1"] }),
      inVpc(["subnet-1", "subnet-2"], { vpcId: "vpc-2" }),
      () => {},
    ] as Change[])
      assert.match(
        moved(exampleConfig(change), last) ?? "",
        /^handover:site\.network: .*would be replaced.*Put it back/,
      );
    assert.equal(moved(exampleConfig(before), last), undefined);
    assert.equal(moved(exampleConfig(inVpc(["subnet-1", "subnet-2", "subnet-3"])), last), undefined);
    assert.equal(moved(exampleConfig(before), left()), undefined);
  });

  it("stays as it was found where they were adopted, and the key that says so stays too", () => {
    const adopted = launchedIn(inVpc(["subnet-1", "subnet-2"], {}, { adopted: "blue" }));
    assert.match(moved(exampleConfig(before), adopted) ?? "", /^handover:site\.adopted: was blue/);
    assert.equal(moved(exampleConfig(inVpc(["subnet-2", "subnet-1"], {}, { adopted: "blue" })), adopted), undefined);
  });
});
