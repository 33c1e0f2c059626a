import assert from "node:assert/strict";
import type { GatedRow } from "../../automation/gates/of-row.ts";
import { check, offences } from "../../automation/policy.ts";
import type { Operation } from "../../automation/recorder.ts";

function operation(op: string, type: string, name: string, properties: string[] = []): Operation {
  const types: Record<string, string> = {
    Instance: "aws:ec2/instance:Instance",
    Attachment: "aws:lb/targetGroupAttachment:TargetGroupAttachment",
    TargetGroup: "aws:lb/targetGroup:TargetGroup",
    Listener: "aws:lb/listener:Listener",
    Association: "aws:ec2/eipAssociation:EipAssociation",
    Snapshot: "aws:ebs/snapshot:Snapshot",
    Table: "aws:dynamodb/table:Table",
    Subnet: "aws:ec2/subnet:Subnet",
    Group: "aws:autoscaling/group:Group",
    Policy: "aws:autoscaling/policy:Policy",
  };
  return {
    op,
    type: types[type] ?? type,
    name,
    urn: `urn:pulumi:test::handover::${types[type]}::${name}`,
    properties,
  };
}

const allowed = (row: GatedRow, ...[op, type, name]: [string, string, string]) =>
  offences([operation(op, type, name)], { row, from: "blue", to: "green" }).length === 0;

describe("policy", () => {
  it("lets each phase do its own work", () => {
    const work: [GatedRow, string, string, string][] = [
      ["backup", "create", "Snapshot", "database-backup"],
      ["launch-first", "create", "Instance", "green-1"],
      ["launch-first", "create", "TargetGroup", "green"],
      ["launch-first", "update", "Listener", "site"],
      ["launch-rest", "create", "Attachment", "green-2"],
      ["connect", "update", "Listener", "site"],
      ["move-addresses", "create-replacement", "Association", "address-1"],
      ["observe", "update", "Listener", "site"],
      ["drain", "delete", "Attachment", "blue-1"],
      ["retire", "delete", "Instance", "blue-2"],
      ["retire", "delete", "Snapshot", "database-backup"],
      ["withdraw", "delete", "Attachment", "green-1"],
      ["withdraw", "create", "Attachment", "blue-1"],
      ["settle", "delete", "Instance", "green-1"],
    ];
    for (const [row, ...rest] of work) assert.ok(allowed(row, ...rest), `${row}: ${rest.join(" ")}`);
  });

  it("refuses to replace, stop or delete a live server, or to take it out, in every row before drain", () => {
    const rows: GatedRow[] = [
      "backup",
      "launch-first",
      "launch-rest",
      "connect",
      "move-addresses",
      "observe",
      "withdraw",
      "settle",
    ];
    for (const row of rows) {
      for (const op of ["update", "replace", "create-replacement", "delete-replaced", "delete"]) {
        assert.ok(!allowed(row, op, "Instance", "blue-1"), `${row} ${op}`);
      }
      assert.ok(!allowed(row, "delete", "Attachment", "blue-1"), row);
    }
  });

  it("refuses to end the new servers while the old ones drain", () => {
    assert.ok(!allowed("drain", "delete", "Attachment", "green-1"));
    assert.ok(!allowed("drain", "delete", "Instance", "blue-1"));
    assert.ok(!allowed("retire", "delete", "Instance", "green-1"));
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

  it("refuses whatever is not the phase's own: drift, a changed configuration, somebody else's edit", () => {
    assert.ok(!allowed("connect", "update", "Subnet", "site-1"));
    assert.ok(!allowed("connect", "create", "Instance", "green-3"));
    assert.ok(!allowed("launch-first", "delete", "Table", "ledger"));
    assert.ok(!allowed("migrate", "update", "Listener", "site"));
  });

  it("lets an array be suspended, copied, resumed, drained and removed, each in its phase and by its owner", () => {
    const may = (row: GatedRow, op: string, name: string, ...properties: string[]) =>
      offences([operation(op, "Group", name, properties)], { row, from: "blue", to: "green" }).length === 0;
    assert.ok(may("suspend-array", "update", "blue", "suspendedProcesses"));
    assert.ok(may("suspend-array", "create", "green"));
    assert.ok(may("resume-array", "update", "green", "suspendedProcesses"));
    assert.ok(may("drain", "update", "blue", "targetGroupArns"));
    assert.ok(may("observe", "update", "blue", "targetGroupArns"));
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

  it("lets old servers be registered again where a run goes back from drain", () => {
    assert.ok(allowed("observe", "create", "Attachment", "blue-1"));
    assert.ok(!allowed("observe", "create", "Attachment", "green-1"));
  });

  it("is not misled by a generation whose name begins like another's", () => {
    const context = { row: "retire", from: "blue", to: "blue-2" } as const;
    assert.equal(offences([operation("delete", "Instance", "blue-2")], context).length, 0);
    assert.equal(offences([operation("delete", "TargetGroup", "blue-2")], context).length, 1);
    assert.equal(offences([operation("delete", "Instance", "blue-2-1")], context).length, 1);
  });

  it("lets an update outside a run create and change, but not touch a server that serves", () => {
    const context = { row: "settle", from: "blue", to: "blue" } as const;
    assert.deepEqual(
      offences([operation("create", "Instance", "blue-3"), operation("update", "Subnet", "site-1")], context),
      [],
    );
    for (const op of ["update", "replace", "delete"])
      assert.equal(offences([operation(op, "Instance", "blue-1")], context).length, 1);
    assert.equal(offences([operation("delete", "Table", "ledger")], context).length, 1);
  });

  it("names the operations and what to type next", () => {
    assert.throws(
      () => check([operation("replace", "Instance", "blue-1")], { row: "connect", from: "blue", to: "green" }),
      /plan of connect[\s\S]*none of it was applied[\s\S]*replace aws:ec2\/instance:Instance blue-1[\s\S]*handover resume/,
    );
  });
});
