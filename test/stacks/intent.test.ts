import assert from "node:assert/strict";
import { type Intent, intent, type SiteShape, settled, stepsOf } from "../../stacks/intent.ts";
import { type IntentRow, phaseNames } from "../../stacks/runbook.ts";

const site: SiteShape = {
  elasticIps: 2,
  database: true,
  shiftPercent: [10, 50],
  generations: { blue: { frontends: 3 }, green: { frontends: 2 } },
};

/** An intent in a line: servers (with + when registered), weights, test host, holders of addresses, snapshot. */
function line({ generations, weights, testTarget, addresses, snapshot, live }: Intent): string {
  const servers = Object.entries(generations).map(
    ([name, { frontends, registered }]) => `${name}:${frontends}${registered ? "+" : "-"}`,
  );
  const shares = Object.entries(weights).map(([name, weight]) => `${name}=${weight}`);
  const holders = addresses.map(({ generation, frontend }) => `${generation}-${frontend + 1}`);
  return [live, servers.join(" "), shares.join(" "), testTarget, holders.join(" "), snapshot ? "snapshot" : ""].join(
    " | ",
  );
}

const table: [IntentRow, number, string][] = [
  ["backup", 1, "blue | blue:3+ | blue=100 | blue | blue-1 blue-2 | snapshot"],
  ["migrate", 1, "blue | blue:3+ | blue=100 | blue | blue-1 blue-2 | snapshot"],
  ["launch-first", 1, "blue | blue:3+ green:1+ | blue=100 green=0 | green | blue-1 blue-2 | snapshot"],
  ["launch-rest", 1, "blue | blue:3+ green:2+ | blue=100 green=0 | green | blue-1 blue-2 | snapshot"],
  ["connect", 1, "blue | blue:3+ green:2+ | blue=90 green=10 | green | blue-1 blue-2 | snapshot"],
  ["connect", 2, "blue | blue:3+ green:2+ | blue=50 green=50 | green | blue-1 blue-2 | snapshot"],
  ["suspend-array", 1, "blue | blue:3+ green:2+ | blue=50 green=50 | green | blue-1 blue-2 | snapshot"],
  ["move-addresses", 1, "blue | blue:3+ green:2+ | blue=0 green=100 | green | blue-1 blue-2 | snapshot"],
  ["move-addresses", 2, "blue | blue:3+ green:2+ | blue=0 green=100 | green | green-1 blue-2 | snapshot"],
  ["move-addresses", 3, "blue | blue:3+ green:2+ | blue=0 green=100 | green | green-1 green-2 | snapshot"],
  ["resume-array", 1, "blue | blue:3+ green:2+ | blue=0 green=100 | green | green-1 green-2 | snapshot"],
  ["observe", 1, "blue | blue:3+ green:2+ | blue=0 green=100 | green | green-1 green-2 | snapshot"],
  ["drain", 1, "blue | blue:3- green:2+ | blue=0 green=100 | green | green-1 green-2 | snapshot"],
  ["retire", 1, "green | green:2+ | green=100 | green | green-1 green-2 | "],
  ["readmit", 1, "blue | blue:3+ green:2+ | blue=0 green=100 | blue | green-1 green-2 | snapshot"],
  ["withdraw", 1, "blue | blue:3+ green:2+ | blue=100 green=0 | blue | blue-1 blue-2 | snapshot"],
  ["withdraw", 2, "blue | blue:3+ green:2+ | blue=100 green=0 | blue | blue-1 blue-2 | snapshot"],
  ["withdraw", 3, "blue | blue:3+ green:2- | blue=100 green=0 | blue | blue-1 blue-2 | snapshot"],
];

describe("intent", () => {
  for (const [row, step, expected] of table) {
    it(`is complete in ${row}, step ${step}`, () => {
      assert.equal(line(intent(site, "blue", "green", row, step)), expected);
    });
  }

  it("knows every phase of the runbook", () => {
    assert.deepEqual(
      phaseNames.filter((phase) => !table.some(([row]) => row === phase)),
      [],
    );
  });

  it("never changes weights in the step in which it deregisters or removes servers: nodes learn of both by themselves", () => {
    const steps = (row: IntentRow) =>
      Array.from({ length: stepsOf(site, row) }, (_, step) => intent(site, "blue", "green", row, step + 1));
    const ways = [
      phaseNames,
      ["connect", "withdraw"],
      ["observe", "withdraw"],
      ["drain", "readmit", "withdraw"],
    ] as const;
    for (const way of ways) {
      const start = way === phaseNames ? [settled(site, "blue")] : [];
      const states = [...start, ...way.flatMap((row) => steps(row))];
      for (const [index, after] of states.entries()) {
        const before = states[index - 1];
        if (before === undefined) continue;
        const isIn = (state: Intent, name: string) => state.generations[name]?.registered === true;
        const leaves = Object.keys(before.generations).filter((name) => isIn(before, name) && !isIn(after, name));
        const shifts = Object.keys(after.weights).filter((name) => (before.weights[name] ?? 0) !== after.weights[name]);
        assert.ok(leaves.length === 0 || shifts.length === 0, `${way.join(" ")}: ${line(before)} -> ${line(after)}`);
        for (const name of leaves) assert.equal(before.weights[name], 0, `${name} still gets requests`);
      }
    }
  });

  it("gives all traffic away before the first address leaves, and takes it back before the first one comes, where a server may need it", () => {
    const short = ["blue-1", "blue-2"];
    const states = [
      ...(["connect", "move-addresses"] as const).flatMap((row) =>
        Array.from({ length: stepsOf(site, row) }, (_, step) => intent(site, "blue", "green", row, step + 1)),
      ),
      ...[1, 2, 3].map((step) => intent(site, "blue", "green", "withdraw", step, [], short)),
    ];
    for (const [index, after] of states.entries()) {
      const before = states[index - 1];
      const left = before?.addresses.filter((held, at) => held.generation !== after.addresses[at]?.generation) ?? [];
      for (const { generation } of left) {
        assert.equal(before?.weights[generation], 0, `${generation} loses an address: ${line(after)}`);
        assert.deepEqual(after.weights, before?.weights);
      }
    }
    const held = (step: number) => intent(site, "blue", "green", "withdraw", step, [], short).addresses[0]?.generation;
    assert.deepEqual([1, 2, 3].map(held), ["green", "blue", "blue"]);
  });

  it("moves addresses with the traffic shared out where no server calls the Internet", () => {
    const isolated = { ...site, egress: "none" } as const;
    assert.deepEqual([stepsOf(isolated, "move-addresses"), stepsOf(isolated, "withdraw")], [2, 2]);
    assert.match(line(intent(isolated, "blue", "green", "move-addresses", 1)), /blue=50 green=50 .* green-1 blue-2/);
    assert.match(line(intent(isolated, "blue", "green", "withdraw", 2)), /green:2-/);
  });

  it("has no step for traffic in move-addresses where the last share was all of it", () => {
    assert.equal(stepsOf({ ...site, shiftPercent: [10, 100] }, "move-addresses"), 2);
  });

  it("moves the first address alone, and then batches of them", () => {
    const many = (step: number) => {
      const wide = {
        ...site,
        elasticIps: 7,
        addressBatch: 3,
        generations: { blue: { frontends: 7 }, green: { frontends: 7 } },
      };
      return intent(wide, "blue", "green", "move-addresses", step).addresses.filter((a) => a.generation === "green")
        .length;
    };
    assert.deepEqual([1, 2, 3, 4, 5].map(many), [0, 1, 4, 7, 7]);
  });

  it("is that of the last step when no step is named, as when stepping by hand", () => {
    for (const phase of phaseNames) {
      assert.deepEqual(
        intent(site, "blue", "green", phase),
        intent(site, "blue", "green", phase, stepsOf(site, phase)),
      );
    }
  });

  it("always shares out the whole traffic, among servers that are registered", () => {
    for (const [row, step] of table) {
      const { weights, generations } = intent(site, "blue", "green", row, step);
      assert.equal(
        Object.values(weights).reduce((sum, weight) => sum + weight, 0),
        100,
      );
      for (const [name, weight] of Object.entries(weights)) {
        if (weight > 0) assert.ok(generations[name]?.registered, `${name} in ${row}`);
      }
    }
  });

  it("names only servers that exist", () => {
    for (const [row, step] of table) {
      const { addresses, generations, testTarget, weights } = intent(site, "blue", "green", row, step);
      for (const { generation, frontend } of addresses) assert.ok(frontend < (generations[generation]?.frontends ?? 0));
      for (const name of [testTarget, ...Object.keys(weights)]) assert.ok(generations[name]);
    }
  });

  it("ends where a plain update of the new goal would be, so that one changes nothing", () => {
    assert.deepEqual(intent(site, "blue", "green", "retire"), settled(site, "green"));
    assert.deepEqual(intent(site, "green", "green", "retire"), settled(site, "green"));
  });

  it("leaves old servers whose sessions last, and changes nothing else, while the others retire", () => {
    const drained = intent(site, "blue", "green", "drain");
    const partly = intent(site, "blue", "green", "retire", 1, ["blue-2"]);
    const { left, ...blue } = partly.generations.blue ?? {};
    assert.deepEqual(left, ["blue-2"]);
    assert.deepEqual({ ...partly, generations: { ...partly.generations, blue } }, drained);
  });

  it("writes down what is suspended, suspends the old array, copies it, and lets only the new one work again", () => {
    const arrays = { ...site, generations: { blue: { frontends: 3, array: {} }, green: { frontends: 2, array: {} } } };
    const of = (row: IntentRow, step?: number) => {
      const { blue, green } = intent(arrays, "blue", "green", row, step).generations;
      return [blue?.array, green?.array];
    };
    assert.deepEqual(of("connect"), ["active", undefined]);
    assert.deepEqual(of("suspend-array", 1), ["recorded", undefined]);
    assert.deepEqual(of("suspend-array", 2), ["suspended", undefined]);
    assert.deepEqual(of("suspend-array", 3), ["suspended", "filling"]);
    assert.deepEqual(of("suspend-array"), ["suspended", "filling"]);
    assert.deepEqual(of("move-addresses", 1), ["suspended", "filling"]);
    assert.deepEqual(of("resume-array"), ["suspended", "active"]);
    assert.deepEqual(of("drain"), ["suspended", "active"]);
    assert.deepEqual(of("retire"), [undefined, "active"]);
    assert.deepEqual(of("withdraw"), ["active", "withdrawn"]);
  });

  it("has an array only in generations that declare one", () => {
    const first = { ...site, generations: { blue: { frontends: 3 }, green: { frontends: 2, array: {} } } };
    const { blue, green } = intent(first, "blue", "green", "resume-array").generations;
    assert.deepEqual([blue?.array, green?.array], [undefined, "active"]);
  });

  it("has no snapshot without a database and no addresses without Elastic IPs", () => {
    const bare = intent({ ...site, database: false, elasticIps: 0 }, "blue", "green", "observe");
    assert.deepEqual([bare.snapshot, bare.addresses], [false, []]);
  });
});
