import { ownerOf, types } from "../../stacks/names.ts";
import { describeOperation, type Operation, topLevel } from "../engine/operation.ts";
import { exitCodes, HandoverError } from "../errors.ts";
import { factsOf, type Row } from "./rows.ts";

/** A permission of a row's updates, by resource type: the engine's words for a change, and the resource's owner. */
interface Permission {
  readonly types: readonly string[];
  readonly ops: readonly string[];
  /** `from` is live, `to` is new. Default: what belongs to no generation. */
  readonly of?: "from" | "to";
  /** The only properties that it may change. Default: all. */
  readonly properties?: readonly string[];
}

const snapshots = [types.ebsSnapshot, types.rdsSnapshot];
const routing = [types.listener, types.listenerRule];
const servers: readonly string[] = [types.instance, types.targetGroupAttachment];
const generation = [...servers, types.targetGroup, types.launchTemplate];
const array = [types.autoScalingGroup, types.scalingPolicy, types.scheduledAction];
const replacement = ["replace", "create-replacement", "delete-replaced"];

const route: Permission = { types: routing, ops: ["update"] };
/** Public traffic alone. */
const shift: Permission = { types: [types.listener], ops: ["update"] };
/** The test host name reaches the other generation; public traffic is the listener's. */
const testRoute: Permission = { types: [types.listenerRule], ops: ["update"] };
const move: Permission = { types: [types.eipAssociation], ops: replacement };
/** An address that somebody took from its server beside the run. */
const hold: Permission = { types: [types.eipAssociation], ops: ["create"] };
/** The test host name's rule, deleted beside the run: whatever the row is, nothing is proven without it. */
const lead: Permission = { types: [types.listenerRule], ops: ["create"] };
const launch: Permission = { types: generation, ops: ["create"], of: "to" };
/** Set right after creation; a resumed run does it when the first was killed in between. */
const finishTargetGroup: Permission = { types: [types.targetGroup], ops: ["update"], of: "to" };
const finishArray = changeArray("to", "suspendedProcesses");
const forgetSnapshot: Permission = { types: snapshots, ops: ["delete"] };
const suspend = (of: "from" | "to"): Permission => changeArray(of, "suspendedProcesses");
const attach = (of: "from" | "to"): Permission => changeArray(of, "targetGroupArns");

/**
 * Creating anew what somebody ended, deregistered or deleted beside the run, in the place where it was. The way back may do
 * so in each row: where an update was cut off, the stack is in no row in which it could come before.
 */
const restore = (of: "from" | "to"): readonly Permission[] => [
  { types: [...servers, ...array], ops: ["create"], of },
  { types: [types.targetGroupAttachment], ops: replacement, of },
  suspend(of),
];

const permissions: Readonly<Record<Exclude<Row, "settle">, readonly Permission[]>> = {
  backup: [{ types: snapshots, ops: ["create"] }],
  migrate: [],
  "launch-first": [launch, finishTargetGroup, route],
  "launch-rest": [launch],
  connect: [route],
  "suspend-array": [suspend("from"), { types: array, ops: ["create"], of: "to" }, finishArray],
  "move-addresses": [shift, move],
  "resume-array": [suspend("to")],
  observe: [route],
  drain: [{ types: [types.targetGroupAttachment], ops: ["delete"], of: "from" }, attach("from")],
  retire: [route, forgetSnapshot, { types: [...generation, ...array], ops: ["delete"], of: "from" }],
  // Nor does an address wait whose new server is gone.
  readmit: [testRoute, move, hold, ...restore("from"), attach("from")],
  withdraw: [
    route,
    move,
    hold,
    ...restore("from"),
    { types: [types.targetGroupAttachment], ops: ["delete"], of: "to" },
    changeArray("from", "suspendedProcesses", "targetGroupArns"),
    changeArray("to", "suspendedProcesses", "targetGroupArns"),
    { types: array, ops: ["create"], of: "to" },
  ],
};

/** A row that is only applied again to that end. */
const restoring: readonly Permission[] = [...restore("from"), ...restore("to"), move, hold, lead];

/**
 * Going back from a row that was reached: what was created may be deleted, as it was left by whatever stopped the run.
 */
const goingBack: readonly Permission[] = [
  route,
  move,
  hold,
  forgetSnapshot,
  ...restore("from"),
  { types: [...generation, ...array], ops: ["delete"], of: "to" },
];

/** While sessions last on some of the old servers, the others may end, and nothing else. */
const endServer: Permission = { types: [types.instance], ops: ["delete"], of: "from" };

/** An update outside a run may create and change what no live server depends on, and never touches a live server. */
const outsideRun = (operation: Operation) => {
  const destroys = operation.op !== "create" && operation.op !== "update";
  const touchesServer = operation.op !== "create" && servers.includes(operation.type);
  return !destroys && !touchesServer;
};

export interface PolicyContext {
  readonly row: Row;
  readonly from: string;
  readonly to: string;
  /** Old servers, by name, that `retire` leaves for now. Default: none. */
  readonly left?: readonly string[];
  /** Whether the row is only applied again to create anew what is missing. Default: false. */
  readonly restores?: boolean;
}

/** The planned operations that a row may not do. */
export function offences(
  planned: readonly Operation[],
  { row, from, to, left = [], restores = false }: PolicyContext,
): readonly Operation[] {
  const tagged = planned.filter(onlyTags);
  const operations = planned.filter((operation) => !tagged.includes(operation) && !onlyVersion(operation, tagged));
  if (restores)
    return operations.filter((operation) => !restoring.some((each) => permits(each, operation, { from, to })));
  if (row === "settle" && from === to) return operations.filter((operation) => !outsideRun(operation));
  const owners = { from, to };
  if (left.length > 0 && factsOf(row).sessions === "ended one by one")
    return operations.filter((operation) => !permits(endServer, operation, owners) || left.includes(operation.name));
  const granted = [lead, ...(row === "settle" ? goingBack : permissions[row])];
  return operations.filter((operation) => !granted.some((permission) => permits(permission, operation, owners)));
}

/** Whether a plan was refused: nothing of it was applied. */
export function isRefused(error: unknown): boolean {
  return error instanceof HandoverError && error.code === "plan-refused";
}

/** @throws HandoverError `plan-refused`; nothing of the plan was applied */
export function check(operations: readonly Operation[], context: PolicyContext): void {
  const refused = offences(operations, context);
  if (refused.length === 0) return;
  const lines = refused.slice(0, 20).map(describeOperation);
  throw new HandoverError("plan-refused", exitCodes.needsPerson, {
    happened: `The plan of ${context.row} would do what ${context.row} may not do: ${lines.join("; ")}`,
    state: "None of it was applied",
    first: adviceFor(context),
  });
}

/** Outside of a run there is nothing to resume, and no other place to make the change. */
function adviceFor({ row, from, to }: PolicyContext): string {
  if (row === "settle" && from === to)
    return "What serves is only changed by a new generation. Put it back, and declare the change as a generation of its own";
  return "The cloud or the configuration changed beside the run. Put it back, or make that change on its own outside of a run";
}

/**
 * Tags change nothing of what serves. A site that is older than ids gets its own in its table's; and AWS may show what was
 * just made before its tags, so that the state has it without them.
 */
function onlyTags({ op, properties }: Operation): boolean {
  const tags = ["tags", "tagsAll", "volumeTags"];
  return op === "update" && properties.length > 0 && properties.every((path) => tags.includes(topLevel(path)));
}

/** A launch template of which only the tags change keeps its version, which the plugin does not say before. */
function onlyVersion({ op, type, name, properties }: Operation, tagged: readonly Operation[]): boolean {
  const isVersion = op === "update" && type === types.autoScalingGroup && properties.length > 0;
  const owner = ownerOf(type, name);
  return (
    isVersion &&
    properties.every((path) => topLevel(path) === "launchTemplate") &&
    tagged.some((other) => other.type === types.launchTemplate && ownerOf(other.type, other.name) === owner)
  );
}

function permits(permission: Permission, operation: Operation, owners: { from: string; to: string }): boolean {
  const owner = ownerOf(operation.type, operation.name);
  const expected = permission.of === undefined ? undefined : owners[permission.of];
  const { properties } = permission;
  if (properties !== undefined && !operation.properties.every((path) => properties.includes(topLevel(path))))
    return false;
  return permission.types.includes(operation.type) && permission.ops.includes(operation.op) && owner === expected;
}

function changeArray(of: "from" | "to", ...properties: string[]): Permission {
  return { types: [types.autoScalingGroup], ops: ["update"], of, properties };
}
