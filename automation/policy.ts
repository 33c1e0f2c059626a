import { exitCodes, HandoverError } from "./errors.ts";
import type { GatedRow } from "./gates/of-row.ts";
import type { Operation } from "./recorder.ts";

/** What an update in a row may do, by resource type: the engine's words for a change, and whose resource it may be. */
interface Permission {
  readonly types: readonly string[];
  readonly ops: readonly string[];
  /** `from` is live, `to` is new. Default: what belongs to no generation. */
  readonly of?: "from" | "to";
}

const server = "aws:ec2/instance:Instance";
const attachment = "aws:lb/targetGroupAttachment:TargetGroupAttachment";
const targetGroup = "aws:lb/targetGroup:TargetGroup";
const launchTemplate = "aws:ec2/launchTemplate:LaunchTemplate";
const association = "aws:ec2/eipAssociation:EipAssociation";
const snapshots = ["aws:ebs/snapshot:Snapshot", "aws:rds/snapshot:Snapshot"];
const routing = ["aws:lb/listener:Listener", "aws:lb/listenerRule:ListenerRule"];
const generation = [server, attachment, targetGroup, launchTemplate];
const replacement = ["replace", "create-replacement", "delete-replaced"];

const route: Permission = { types: routing, ops: ["update"] };
const move: Permission = { types: [association], ops: replacement };
const launch: Permission = { types: generation, ops: ["create"], of: "to" };
const forgetSnapshot: Permission = { types: snapshots, ops: ["delete"] };

const permissions: Readonly<Record<Exclude<GatedRow, "settle">, readonly Permission[]>> = {
  backup: [{ types: snapshots, ops: ["create"] }],
  migrate: [],
  "launch-first": [launch, route],
  "launch-rest": [launch],
  connect: [route],
  "suspend-array": [],
  "move-addresses": [move],
  "resume-array": [],
  observe: [route],
  drain: [{ types: [attachment], ops: ["delete"], of: "from" }],
  retire: [route, forgetSnapshot, { types: generation, ops: ["delete"], of: "from" }],
  withdraw: [
    route,
    move,
    { types: [attachment], ops: ["create"], of: "from" },
    { types: [attachment], ops: ["delete"], of: "to" },
  ],
};

/** Going back from a row that was reached: what was created may be deleted, as it was left by whatever stopped the run. */
const goingBack: readonly Permission[] = [
  route,
  move,
  forgetSnapshot,
  { types: generation, ops: ["delete"], of: "to" },
];

/** An update outside a run may create and change what no live server depends on, and never touches a live server. */
const outsideRun = (operation: Operation) => {
  const destroys = operation.op !== "create" && operation.op !== "update";
  const touchesServer = operation.op !== "create" && (operation.type === server || operation.type === attachment);
  return !destroys && !touchesServer;
};

export interface PolicyContext {
  readonly row: GatedRow;
  readonly from: string;
  readonly to: string;
}

/** The planned operations that a row may not do. */
export function offences(operations: readonly Operation[], { row, from, to }: PolicyContext): readonly Operation[] {
  if (row === "settle" && from === to) return operations.filter((operation) => !outsideRun(operation));
  const granted = row === "settle" ? goingBack : permissions[row];
  const owners = { from, to };
  return operations.filter((operation) => !granted.some((permission) => permits(permission, operation, owners)));
}

/** @throws HandoverError `plan-refused`; nothing of the plan was applied */
export function check(operations: readonly Operation[], context: PolicyContext): void {
  const refused = offences(operations, context);
  if (refused.length === 0) return;
  const lines = refused.slice(0, 20).map(({ op, type, name, properties }) => {
    return `  ${op} ${type} ${name}${properties.length > 0 ? ` (${properties.join(", ")})` : ""}`;
  });
  throw new HandoverError(
    "plan-refused",
    exitCodes.needsPerson,
    `The plan of ${context.row} would do what ${context.row} may not do, so none of it was applied:\n${lines.join("\n")}\n` +
      "The cloud or the configuration changed beside the run. Put it back, or make that change on its own outside of a run, and then: handover resume",
  );
}

function permits(permission: Permission, operation: Operation, owners: { from: string; to: string }): boolean {
  const owner = generationOf(operation);
  const expected = permission.of === undefined ? undefined : owners[permission.of];
  return permission.types.includes(operation.type) && permission.ops.includes(operation.op) && owner === expected;
}

/** The generation that a resource belongs to, by its name: servers and attachments are numbered. */
function generationOf({ type, name }: Operation): string | undefined {
  if (type === server || type === attachment) return name.replace(/-\d+$/, "");
  return generation.includes(type) ? name : undefined;
}
