import assert from "node:assert/strict";
import { CommandError, type EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { Recorder } from "../../../automation/engine/recorder.ts";

/** What is known of an update that failed with these errors. */
function failed(errors: readonly string[], { finished = true } = {}): Recorder {
  const recorder = new Recorder();
  const events = errors.map((message) => ({ diagnosticEvent: { message, severity: "error" } }));
  for (const event of [...events, ...(finished ? [{ summaryEvent: {} }] : [])]) recorder.onEvent(event as EngineEvent);
  return recorder;
}

const unreached = "One or more errors occurred: 14 UNAVAILABLE: No connection established. Last error: null.";
const exit = new Error("Command failed with exit code 255: pulumi up");

describe("an engine that failed", () => {
  const deaths: readonly [string, Recorder, Error][] = [
    ["ended without its last word", failed([], { finished: false }), exit],
    ["was killed after it", failed([]), new Error("Command was killed with SIGKILL (Forced termination): pulumi up")],
    ...[
      "rpc error: code = Unavailable desc = error reading from server: EOF",
      "rpc error: code = Canceled desc = grpc: the client connection is closing",
      "error reading from server: read tcp 127.0.0.1:44714->127.0.0.1:40381: read: connection reset by peer",
      'connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:40381: connect: connection refused"',
    ].map((message): [string, Recorder, Error] => [`lost its provider: ${message}`, failed([message]), exit]),
    ["lost its program", failed([unreached]), exit],
    [
      "could not write down what it did",
      failed(["failed to save snapshot: write s.json: no space left on device"]),
      exit,
    ],
  ];
  for (const [how, recorder, cause] of deaths) {
    it(`died, which says nothing of the new servers, when it ${how}`, () => assert.ok(recorder.died(cause)));
  }

  const refusals = [
    "resource urn:pulumi:s::handover::aws:lb/targetGroup:TargetGroup::green violates plan: properties changed: ~~tags",
    "update is not allowed by the plan: no steps were expected for this resource",
    "state migration for urn cannot change state while applying an update plan; run the update without the plan",
  ];
  const ended = (message: string) => new CommandError({ toString: () => message } as never);

  it("refused its plan when it says so, or ended by itself before it had begun", () => {
    for (const message of refusals) assert.ok(failed([message]).refusedPlan(exit), message);
    assert.ok(new Recorder().refusedPlan(ended("error: unknown flag: --plan")));
  });

  it("did not refuse its plan when it failed otherwise, was killed, or was not started", () => {
    assert.ok(!failed(["creating EC2 Instance: no capacity"]).refusedPlan(exit));
    assert.ok(!new Recorder().refusedPlan(ended("Command was killed with SIGKILL (Forced termination): pulumi up")));
    assert.ok(!new Recorder().refusedPlan(new Error("The lease was lost")));
  });

  const verdicts = [
    "creating EC2 Instance: InsufficientInstanceCapacity: no capacity",
    "reading EC2 Instance: Post https://ec2.us-east-1.amazonaws.com: read tcp 10.0.0.7:44714: connection reset by peer",
  ];
  it("tells what it was creating when its provider died, which it forgets itself", () => {
    const recorder = failed(["error reading from server: EOF"]);
    const fail = (op: string, name: string) => {
      const state = { urn: `urn::${name}`, type: "aws:lb/targetGroup:TargetGroup", custom: true, inputs: { name } };
      recorder.onEvent({
        resOpFailedEvent: { metadata: { op, urn: state.urn, new: state } },
      } as unknown as EngineEvent);
    };
    fail("create", "green");
    fail("update", "blue");
    assert.deepEqual(
      recorder.failedCreations.map(({ urn, type, custom, inputs }) => [urn, type, custom, inputs]),
      [["urn::green", "aws:lb/targetGroup:TargetGroup", true, { name: "green" }]],
    );
  });

  it("did not die when it ended before its program did, since AWS refused something", () => {
    const recorder = failed(["InsufficientInstanceCapacity: no capacity", unreached]);
    recorder.onEvent({
      resOpFailedEvent: { metadata: { op: "create", urn: "urn::green-1" } },
    } as unknown as EngineEvent);
    assert.ok(!recorder.died(exit));
  });

  for (const message of verdicts) {
    it(`did not die when AWS answered otherwise: ${message}`, () => assert.ok(!failed([message]).died(exit)));
  }
});

describe("an update", () => {
  /** The properties of an update in which these differ, of a resource with these inputs before and after it. */
  const propertiesOf = (diffs: readonly string[], old: object, now: object) => {
    const recorder = new Recorder();
    const type = "aws:autoscaling/group:Group";
    const metadata = { op: "update", urn: "urn::blue", type, diffs, old: { inputs: old }, new: { inputs: now } };
    recorder.onEvent({ resourcePreEvent: { metadata } } as unknown as EngineEvent);
    return recorder.operations[0]?.properties;
  };

  it("is told with the inputs that differ, whatever else the plugin computes by itself", () => {
    const diffs = ["targetGroupArns[0]", "capacityReservationSpecification", "suspendedProcesses", "tagsAll.team"];
    const expected = ["suspendedProcesses", "tagsAll.team", "targetGroupArns[0]"];
    assert.deepEqual(propertiesOf(diffs, { targetGroupArns: ["a"] }, { suspendedProcesses: ["Launch"] }), expected);
  });

  it("is told with what the plugin computes where nothing else differs", () => {
    assert.deepEqual(propertiesOf(["arnSuffix"], { port: 80 }, { port: 80 }), ["arnSuffix"]);
  });

  /** What is late after an update of a listener with these inputs and outputs before and after it. */
  const lateAfter = (old: object, now: object, op = "update") => {
    const recorder = new Recorder();
    const metadata = { op, urn: "urn::http", type: "aws:lb/listener:Listener", old, new: now };
    recorder.onEvent({ resourcePreEvent: { metadata } } as unknown as EngineEvent);
    recorder.onEvent({ resOutputsEvent: { metadata } } as unknown as EngineEvent);
    return recorder.late;
  };
  const forwards = (...arns: string[]) => ({ defaultActions: arns.map((arn) => ({ targetGroupArn: arn })) });

  it("is late where AWS shows what it changed as before", () => {
    const old = { inputs: forwards("blue"), outputs: { ...forwards("blue"), order: 1 } };
    const late = lateAfter(old, { inputs: forwards("green"), outputs: { ...forwards("blue"), order: 1 } });
    assert.deepEqual(late, [{ urn: "urn::http", before: forwards("blue") }]);
  });

  it("is not late where AWS shows the change, in its own form too, or showed the new value before it", () => {
    const old = { inputs: forwards("blue"), outputs: forwards("blue") };
    const longForm = { defaultActions: [{ targetGroupArn: "green", order: 1 }] };
    for (const outputs of [forwards("green"), longForm])
      assert.deepEqual(lateAfter(old, { inputs: forwards("green"), outputs }), []);
    const named = { inputs: { sslPolicy: "2016" }, outputs: { sslPolicy: "2016" } };
    assert.deepEqual(lateAfter({ inputs: {}, outputs: { sslPolicy: "2016" } }, named), []);
  });

  it("is late where AWS shows what it created without tags that it asked for", () => {
    const inputs = { tags: { Name: "www", team: "web" } };
    const created = (outputs: object, op = "create") => lateAfter({}, { inputs, outputs }, op);
    assert.deepEqual(created({}), [{ urn: "urn::http", before: { tags: undefined } }]);
    const some = { tags: { Name: "www" } };
    assert.deepEqual(created(some, "create-replacement"), [{ urn: "urn::http", before: some }]);
    assert.deepEqual(created({ tags: { ...inputs.tags, more: "" } }), []);
    const list = { inputs: { tags: [{ key: "team" }] }, outputs: {} };
    assert.deepEqual(lateAfter({}, list, "create"), []);
  });

  it("is late only where it changed something: another property, or a creation, is not", () => {
    const old = { inputs: forwards("blue"), outputs: { ...forwards("blue"), port: 80 } };
    assert.deepEqual(lateAfter(old, { inputs: forwards("blue"), outputs: old.outputs }), []);
    assert.deepEqual(lateAfter(old, { inputs: forwards("green"), outputs: old.outputs }, "create"), []);
  });
});
