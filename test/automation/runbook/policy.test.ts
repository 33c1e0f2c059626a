import assert from "node:assert/strict";
import type { Operation } from "../../../automation/engine/operation.ts";
import { check, offences } from "../../../automation/runbook/policy.ts";
import type { Row } from "../../../automation/runbook/rows.ts";

const types: Readonly<Record<string, string>> = {
  Instance: "aws:ec2/instance:Instance",
  Attachment: "aws:lb/targetGroupAttachment:TargetGroupAttachment",
  TargetGroup: "aws:lb/targetGroup:TargetGroup",
  LaunchTemplate: "aws:ec2/launchTemplate:LaunchTemplate",
  Listener: "aws:lb/listener:Listener",
  Rule: "aws:lb/listenerRule:ListenerRule",
  LoadBalancer: "aws:lb/loadBalancer:LoadBalancer",
  Address: "aws:ec2/eip:Eip",
  Association: "aws:ec2/eipAssociation:EipAssociation",
  Snapshot: "aws:ebs/snapshot:Snapshot",
  Table: "aws:dynamodb/table:Table",
  Subnet: "aws:ec2/subnet:Subnet",
  Group: "aws:autoscaling/group:Group",
  Policy: "aws:autoscaling/policy:Policy",
};

function operation(op: string, type: string, name: string, properties: string[] = []): Operation {
  return {
    op,
    type: types[type] ?? type,
    name,
    urn: `urn:pulumi:test::handover::${types[type]}::${name}`,
    properties,
  };
}

const allowed = (row: Row, ...[op, type, name]: [string, string, string]) =>
  offences([operation(op, type, name)], { row, from: "blue", to: "green" }).length === 0;

/** Everything that an engine could do to a resource of every kind, of either generation or of none. */
const everything = ["create", "update", "replace", "create-replacement", "delete-replaced", "delete", "import"].flatMap(
  (op) =>
    Object.keys(types).flatMap((type): [string, string, string][] => {
      if (["Instance", "Attachment"].includes(type)) return ["blue-1", "green-1"].map((name) => [op, type, name]);
      if (type === "Policy") return ["blue.requests", "green.requests"].map((name) => [op, type, name]);
      if (["TargetGroup", "LaunchTemplate", "Group"].includes(type))
        return ["blue", "green"].map((name) => [op, type, name]);
      return [[op, type, "site"]];
    }),
);

const generation = (op: string, name: string) => [
  `${op} Instance ${name}-1`,
  `${op} Attachment ${name}-1`,
  `${op} TargetGroup ${name}`,
  `${op} LaunchTemplate ${name}`,
];
const array = (op: string, name: string) => [`${op} Group ${name}`, `${op} Policy ${name}.requests`];
const route = ["update Listener site", "update Rule site"];
const move = ["replace", "create-replacement", "delete-replaced"].map((op) => `${op} Association site`);

const hold = "create Association site";

/** On the way back, what somebody took from the old generation. */
const again = [
  ...["Instance blue-1", "Attachment blue-1"].map((each) => `create ${each}`),
  ...["replace", "create-replacement", "delete-replaced"].map((op) => `${op} Attachment blue-1`),
  ...array("create", "blue"),
  "update Group blue",
];

const mayDo: Readonly<Record<Row, readonly string[]>> = {
  backup: ["create Snapshot site"],
  migrate: [],
  "launch-first": [...generation("create", "green"), "update TargetGroup green", ...route],
  "launch-rest": generation("create", "green"),
  connect: route,
  "suspend-array": ["update Group blue", ...array("create", "green"), "update Group green"],
  "move-addresses": ["update Listener site", ...move],
  "resume-array": ["update Group green"],
  observe: route,
  drain: ["delete Attachment blue-1", "update Group blue"],
  retire: [...generation("delete", "blue"), ...array("delete", "blue"), ...route, "delete Snapshot site"],
  readmit: [...move, hold, "update Rule site", ...again],
  withdraw: [
    ...route,
    ...move,
    hold,
    "delete Attachment green-1",
    ...again,
    "update Group green",
    ...array("create", "green"),
  ],
  settle: [
    ...generation("delete", "green"),
    ...array("delete", "green"),
    ...route,
    ...move,
    hold,
    "delete Snapshot site",
    ...again,
  ],
};

describe("policy", () => {
  for (const [row, permitted] of Object.entries(mayDo) as [Row, string[]][]) {
    it(`permits ${row} its own work, and refuses everything else that an engine could do`, () => {
      const granted = everything.filter((each) => allowed(row, ...each)).map((each) => each.join(" "));
      // The test host name's rule may come again in whichever row.
      assert.deepEqual(granted.toSorted(), ["create Rule site", ...permitted].toSorted());
    });
  }

  it("creates anew what somebody took away, in whichever row, and nothing else", () => {
    for (const row of Object.keys(mayDo) as Row[]) {
      const context = { row, from: "blue", to: "green", restores: true } as const;
      const granted = everything
        .filter(([op, type, name]) => offences([operation(op, type, name)], context).length === 0)
        .map((each) => each.join(" "));
      const both = ["blue", "green"].flatMap((name) => [
        `create Instance ${name}-1`,
        ...["create", "replace", "create-replacement", "delete-replaced"].map((op) => `${op} Attachment ${name}-1`),
        ...array("create", name),
        `update Group ${name}`,
      ]);
      assert.deepEqual(granted.toSorted(), [...both, ...move, hold, "create Rule site"].toSorted());
    }
  });

  it("lets an array name its template's version, which the plugin does not know before, where the template's tags change alone", () => {
    const context = { row: "backup", from: "blue", to: "green" } as const;
    const template = (...properties: string[]) => operation("update", "LaunchTemplate", "blue", properties);
    const array = operation("update", "Group", "blue", ["launchTemplate.version"]);
    assert.deepEqual(offences([template("tags", "tagsAll"), array], context), []);
    assert.deepEqual(offences([array], context), [array]);
    const changed = template("tags", "imageId");
    assert.deepEqual(offences([changed, array], context), [changed, array]);
    const more = operation("update", "Group", "blue", ["launchTemplate.version", "minSize"]);
    assert.deepEqual(offences([template("tags"), more], context), [more]);
    const other = operation("update", "LaunchTemplate", "green", ["tags"]);
    assert.deepEqual(offences([other, array], context), [array]);
  });

  it("lets tags change in whichever row, and nothing else beside them", () => {
    const tagged = ["Table ledger", "Snapshot database-backup", "Instance blue-1", "Group green"].map((each) => {
      const [type = "", name = ""] = each.split(" ");
      return operation("update", type, name, ['tags["handover:site-id"]', "tagsAll"]);
    });
    const changed = operation("update", "Table", "ledger", ["tags", "billingMode"]);
    for (const row of Object.keys(mayDo) as Row[])
      for (const more of [{}, { restores: true }, { left: ["blue-2"] }])
        assert.deepEqual(offences([...tagged, changed], { row, from: "blue", to: "green", ...more }), [changed], row);
  });

  it("lets old servers end whose sessions have ended, and nothing else, while those of others last", () => {
    const context = { row: "retire", from: "blue", to: "green", left: ["blue-2"] } as const;
    const refused = (...operations: Parameters<typeof operation>[]) =>
      offences(
        operations.map((each) => operation(...each)),
        context,
      ).map(({ type, name }) => `${type.split(":").at(-1)} ${name}`);
    assert.deepEqual(refused(["delete", "Instance", "blue-1"]), []);
    assert.deepEqual(refused(["delete", "Instance", "blue-1"], ["delete", "Instance", "blue-2"]), ["Instance blue-2"]);
    assert.deepEqual(refused(["delete", "TargetGroup", "blue"], ["delete", "Instance", "green-1"]), [
      "TargetGroup blue",
      "Instance green-1",
    ]);
  });

  it("lets an array be suspended, copied, resumed, drained and removed, each in its phase and by its owner", () => {
    const may = (row: Row, op: string, name: string, ...properties: string[]) =>
      offences([operation(op, "Group", name, properties)], { row, from: "blue", to: "green" }).length === 0;
    assert.ok(may("suspend-array", "update", "blue", "suspendedProcesses"));
    assert.ok(may("suspend-array", "create", "green"));
    assert.ok(may("suspend-array", "update", "green", "suspendedProcesses"), "created, and not suspended yet");
    assert.ok(!may("suspend-array", "update", "green", "minSize"));
    assert.ok(may("resume-array", "update", "green", "suspendedProcesses"));
    assert.ok(may("drain", "update", "blue", "targetGroupArns"));
    assert.ok(may("readmit", "update", "blue", "targetGroupArns"));
    assert.ok(may("withdraw", "update", "green", "targetGroupArns", "suspendedProcesses"));
    assert.ok(may("retire", "delete", "blue"));
    assert.ok(may("settle", "delete", "green"));
    assert.ok(!may("suspend-array", "create", "blue"));
    assert.ok(!may("resume-array", "update", "blue", "suspendedProcesses"));
    assert.ok(!may("observe", "update", "green", "targetGroupArns"));
    assert.ok(!may("drain", "delete", "blue"));
    assert.ok(!may("retire", "delete", "green"));
    for (const row of ["suspend-array", "resume-array", "drain", "withdraw"] as const) {
      assert.ok(!may(row, "update", "blue", "desiredCapacity"), row);
      assert.ok(!may(row, "update", "green", "suspendedProcesses", "desiredCapacity"), row);
    }
    const policies = [operation("create", "Policy", "green.requests"), operation("delete", "Policy", "blue.requests")];
    assert.deepEqual(offences(policies, { row: "suspend-array", from: "blue", to: "green" }), policies.slice(1));
  });

  it("is not misled by a generation whose name begins like another's", () => {
    const context = { row: "retire", from: "blue", to: "blue-2" } as const;
    assert.equal(offences([operation("delete", "Instance", "blue-2")], context).length, 0);
    assert.equal(offences([operation("delete", "TargetGroup", "blue-2")], context).length, 1);
    assert.equal(offences([operation("delete", "Instance", "blue-2-1")], context).length, 1);
  });

  it("lets an update outside a run create and change, but not touch a server that serves", () => {
    const context = { row: "settle", from: "blue", to: "blue" } as const;
    const tagged = operation("update", "Instance", "blue-1", ['tags["team"]', "tagsAll.team", "volumeTags.team"]);
    assert.deepEqual(offences([tagged], context), []);
    assert.equal(offences([operation("update", "Instance", "blue-1", ["tags.team", "userData"])], context).length, 1);
    assert.deepEqual(
      offences([operation("create", "Instance", "blue-3"), operation("update", "Subnet", "site-1")], context),
      [],
    );
    for (const op of ["update", "replace", "delete"])
      assert.equal(offences([operation(op, "Instance", "blue-1")], context).length, 1);
    assert.equal(offences([operation("delete", "Table", "ledger")], context).length, 1);
  });

  it("sends nobody to resume where there is no run", () => {
    assert.throws(
      () => check([operation("replace", "Instance", "blue-1")], { row: "settle", from: "blue", to: "blue" }),
      (error: Error) => /declare the change as a generation/.test(error.message) && !/resume/.test(error.message),
    );
  });

  it("names the operations, and what a person does first", () => {
    assert.throws(
      () => check([operation("replace", "Instance", "blue-1")], { row: "connect", from: "blue", to: "green" }),
      /plan of connect.*replace aws:ec2\/instance:Instance blue-1.*None of it was applied.*Put it back/,
    );
  });
});
