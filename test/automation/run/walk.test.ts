import assert from "node:assert/strict";
import { EngineBusyError } from "../../../automation/engine/end-engine.ts";
import { EngineBlindError, EngineDiedError, NotYetShownError } from "../../../automation/engine/engine-errors.ts";
import type { Operation } from "../../../automation/engine/operation.ts";
import { NotPlannedError } from "../../../automation/engine/plan.ts";
import { HandoverError } from "../../../automation/errors.ts";
import type { LedgerRecord } from "../../../automation/ledger/events.ts";
import { driveAfter } from "../../../automation/run/before.ts";
import { putBack } from "../../../automation/run/put-back.ts";
import { unfinishedRun } from "../../../automation/run/unfinished-run.ts";
import { type Progress, walk } from "../../../automation/run/walk.ts";
import { Walker } from "../../../automation/run/walker.ts";
import { types } from "../../../stacks/names.ts";
import { FakeSite } from "./fake-site.ts";

const run = { id: "r1", from: "blue", to: "green" };
const fresh: Progress = { finished: [], asked: [], approved: new Set(), commands: {} };

/** Every phase that updates the stack and can be gone back from, and the way back from it. */
const waysBack: readonly [string, readonly string[]][] = [
  ["backup", ["settle"]],
  ["launch-first", ["settle"]],
  ["launch-rest", ["settle"]],
  ["connect", ["withdraw", "settle"]],
  ["move-addresses", ["withdraw", "settle"]],
  ["observe", ["withdraw", "settle"]],
  ["drain", ["readmit", "withdraw", "settle"]],
];

/** Rows in their order; one that had several updates is named once. */
const rowsOf = (applied: readonly string[]) => applied.filter((row, index) => row !== applied[index - 1]);

describe("a walk", () => {
  let site: FakeSite;
  beforeEach(async () => {
    site = await FakeSite.open({ migrate: { command: ["true"] } });
  });
  afterEach(() => site.close());

  const upgrade = (progress = fresh, options = {}) => walk(site.drive(options), run, progress);
  /** What the ledger knows of the run, as another driver reads it. */
  const begun = () => {
    const start = { type: "run-started", run: "r1", from: "blue", to: "green" };
    const known = unfinishedRun([start, ...site.ledger].map((event) => ({ event }) as LedgerRecord));
    assert.ok(known !== undefined);
    return known;
  };
  const failIn = (row: string, error = new Error("InsufficientInstanceCapacity")) => {
    site.beforeUp = (each) => {
      if (each === row && !site.applied.includes("withdraw") && !site.applied.includes(row)) throw error;
    };
  };
  const sickAfter = (row: string) => {
    site.beforeUp = (each) => {
      if (each === row) site.sick.add("green");
    };
  };

  it("goes on in the middle of a phase with the update that was planned last", async () => {
    failIn("connect", new EngineDiedError("killed", undefined));
    await upgrade({ ...fresh, lastPlanned: { row: "connect", step: 2 } });
    assert.deepEqual(begun().lastPlanned, { row: "connect", step: 2 });
    const plans = site.ledger.flatMap((event) => (event.type === "plan" && event.phase === "connect" ? event : []));
    assert.deepEqual(
      plans.map(({ step }) => step),
      [2],
    );
  });

  it("applies nothing more, and does not go back, once an event could not be written down", async () => {
    site.isLost = ({ type }) => type === "applied" && site.applied.at(-1) === "connect";
    await assert.rejects(upgrade(), { message: "applied was lost" });
    assert.equal(site.applied.at(-1), "connect");
    assert.equal(site.ledger.at(-1)?.type, "phase-started");
  });

  it("ends with the new generation alone", async () => {
    const { exitCode, live } = await upgrade();
    assert.deepEqual([exitCode, live], [0, "green"]);
    assert.deepEqual(Object.keys(site.intent.generations), ["green"]);
  });

  for (const [phase, back] of waysBack) {
    it(`goes back when the update of ${phase} fails: exit code 2, and the stack is as before`, async () => {
      failIn(phase);
      const { exitCode, outcome, live } = await upgrade();
      assert.deepEqual([exitCode, outcome, live], [2, "rolled-back", "blue"]);
      assert.deepEqual(rowsOf(site.applied).slice(-back.length), back);
      assert.deepEqual(site.intent, site.settled);
    });
  }

  for (const [phase, back] of waysBack.slice(1)) {
    it(`goes back when a new server fails once ${phase} is applied`, async () => {
      sickAfter(phase);
      const { exitCode, live } = await upgrade();
      assert.deepEqual([exitCode, live], [2, "blue"]);
      assert.deepEqual(rowsOf(site.applied).slice(-back.length), back);
      assert.deepEqual(site.intent, site.settled);
    });
  }

  for (const [phase, back] of waysBack.slice(3)) {
    const next = { connect: "move-addresses", "move-addresses": "observe", observe: "drain", drain: "retire" }[phase];
    it(`looks again before ${next} after a pause, and goes back when a new server has failed meanwhile`, async () => {
      const paused = await upgrade(fresh, { pauseBefore: [next] });
      assert.equal(paused.exitCode, 3);
      site.sick.add("green");
      const { exitCode, live } = await upgrade(begun(), { autoApprove: true });
      assert.deepEqual([exitCode, live], [2, "blue"]);
      assert.deepEqual(rowsOf(site.applied).slice(-back.length), back);
      assert.deepEqual(site.intent, site.settled);
    });
  }

  describe("of a site on which something was bad before", () => {
    const told = () =>
      site.told.flatMap((event) =>
        event.type === "warning" && event.message.startsWith("before") ? [event.message] : [],
      );
    const sharesOf = () => {
      const shares: (number | undefined)[] = [];
      const { beforeUp } = site;
      site.beforeUp = (row) => {
        beforeUp(row);
        shares.push(site.intent.weights.green);
      };
      return shares;
    };

    it("says so before anything is done, and records it", async () => {
      site.sick.add("blue");
      failIn("backup");
      await upgrade();
      assert.equal(site.ledger[0]?.type, "baseline");
      const applied = site.told.findIndex(({ type }) => type === "plan");
      assert.ok(site.told.findIndex(({ type }) => type === "warning") < applied);
      assert.deepEqual(
        told(),
        ["blue-1", "blue-2"].map((name) => `before the run: ${name}: unhealthy; not held against green`),
      );
    });

    it("goes back to old servers that were not healthy either: exit code 2", async () => {
      site.sick.add("blue");
      failIn("retire", new EngineDiedError("killed", undefined));
      await upgrade();
      site.beforeUp = () => {};
      const back = begun();
      const walker = new Walker({ ...site.drive(), baseline: back.baseline }, run);
      const why = { reason: "A rollback was asked for", exitCode: 0 } as const;
      const way = { ...run, reached: "drain", back: [] } as const;
      const { exitCode, live } = await putBack(site.drive(), walker, way, why);
      assert.deepEqual([exitCode, live], [0, "blue"]);
    });

    it("is upgraded though an alarm rings; one that begins to ring later takes it back", async () => {
      for (const [early, expected] of [
        [true, 0],
        [false, 2],
      ] as const) {
        const ringing = await FakeSite.open({ alarms: ["www-5xx"] });
        if (early) ringing.ringing.add("www-5xx");
        ringing.beforeUp = (row) => {
          if (row === "connect") ringing.ringing.add("www-5xx");
        };
        const { exitCode } = await walk(ringing.drive(), run, fresh);
        ringing.close();
        assert.equal(exitCode, expected);
      }
    });

    it("is upgraded though an alarm has begun to ring before the new generation had traffic", async () => {
      const ringing = await FakeSite.open({ alarms: ["www-5xx"] });
      ringing.beforeUp = (row) => {
        if (row === "launch-rest") ringing.ringing.add("www-5xx");
      };
      const { exitCode } = await walk(ringing.drive(), run, fresh);
      ringing.close();
      assert.equal(exitCode, 0);
      const said = ringing.told.flatMap((event) => (event.type === "warning" ? [event.message] : []));
      assert.ok(
        said.includes("before green had traffic: alarm www-5xx: in ALARM; not held against green"),
        said.join(),
      );
    });

    it("gives all traffic at once where nothing of the old generation answers", async () => {
      site.down.add("blue");
      const shares = sharesOf();
      const { exitCode, live } = await upgrade();
      assert.deepEqual([exitCode, live], [0, "green"]);
      assert.ok(
        told()[0]?.startsWith("before the run: blue is down, so green gets all traffic at once"),
        told().join(),
      );
      assert.deepEqual([...new Set(shares)], [undefined, 0, 100]);
    });

    it("goes on at once after a pause too, from what was recorded", async () => {
      site.down.add("blue");
      await upgrade(fresh, { pauseBefore: ["observe"] });
      site.down.clear();
      const shares = sharesOf();
      assert.equal((await upgrade(begun(), { autoApprove: true })).exitCode, 0);
      assert.ok(
        shares.every((share) => share === 100),
        shares.join(),
      );
    });

    it("goes back to a generation that was down, and the run ends: exit code 2", async () => {
      site.down.add("blue");
      sickAfter("observe");
      const { exitCode, live } = await upgrade();
      assert.deepEqual([exitCode, live], [2, "blue"]);
      assert.deepEqual(site.intent, site.settled);
    });

    it("waits for a person before all traffic goes over at once, where the configuration says so", async () => {
      const waiting = await FakeSite.open({ whenOldIsDown: "pause" });
      waiting.down.add("blue");
      const { exitCode, phase, digest } = await walk(waiting.drive(), run, fresh);
      waiting.close();
      assert.deepEqual([exitCode, phase, digest], [3, "connect", "connect "]);
    });
  });

  it("pauses when nothing could be seen: exit code 3, and nothing is taken back", async () => {
    site.beforeUp = (row) => {
      site.unreachable = row === "observe";
    };
    const { exitCode, outcome } = await upgrade();
    assert.deepEqual([exitCode, outcome, site.applied.at(-1)], [3, "paused", "observe"]);
  });

  for (const phase of ["drain", "retire"])
    it(`pauses before ${phase} while something else reaches the old servers, by its name, and then goes on`, async () => {
      site.beforeUp = (row) => {
        if ((phase === "drain" ? "observe" : "drain") === row) site.otherWays = ["rule 10 of the listener on port 80"];
      };
      const { exitCode, outcome, message } = await upgrade();
      assert.deepEqual([exitCode, outcome], [3, "paused"]);
      assert.notEqual(site.applied.at(-1), phase);
      assert.match(message ?? "", /no other way in: blue: .*rule 10 of the listener on port 80.*handover resume/);
      site.otherWays = [];
      site.beforeUp = () => {};
      const resumed = await upgrade(begun());
      assert.deepEqual([resumed.exitCode, resumed.live], [0, "green"]);
    });

  it("pauses when an update began what its plan does not have, and says so: nothing is taken back", async () => {
    site.beforeUp = (row) => {
      if (row === "connect") throw new NotPlannedError({ happened: "The update began what its plan does not have" });
    };
    const { exitCode, outcome, reason, message = "" } = await upgrade();
    assert.deepEqual([exitCode, outcome, reason, site.applied.at(-1)], [3, "paused", "inconclusive", "launch-rest"]);
    assert.match(message, /began what its plan does not have.*handover resume/);
  });

  it("pauses on the way back, too, when an update would do what its plan does not have", async () => {
    site.beforeUp = (row) => {
      if (row === "connect") throw new Error("no");
      if (row === "withdraw" || row === "settle") throw new NotPlannedError({ happened: "It would do more" });
    };
    const { exitCode, outcome } = await upgrade();
    assert.deepEqual([exitCode, outcome], [3, "paused"]);
  });

  it("pauses when a phase cannot be planned, which says nothing of the new servers", async () => {
    site.operationsOf = (row) => {
      if (row === "connect") throw new HandoverError("preview-failed", 4, "AWS is throttling");
      return [];
    };
    const { exitCode, outcome, live } = await upgrade();
    assert.deepEqual([exitCode, outcome, live], [3, "paused", "blue"]);
    assert.deepEqual(begun().finished.at(-1), "launch-rest");
  });

  it("pauses when the disk is full", async () => {
    failIn("connect", Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }));
    const { exitCode, outcome, live } = await upgrade();
    assert.deepEqual([exitCode, outcome, live], [3, "paused", "blue"]);
  });

  for (const kind of ["unreachable", "credentials", "throttled", "unavailable"] as const)
    it(`pauses when an update met ${kind}, says what serves and what to do, and nothing goes back`, async () => {
      failIn("connect", new EngineBlindError(kind, "AWS said so", undefined));
      const { exitCode, outcome, message, next } = await upgrade();
      assert.deepEqual([exitCode, outcome, site.applied.at(-1)], [3, "paused", "launch-rest"]);
      assert.match(String(message), /AWS said so\. Nothing was taken back: blue serves\. \w+/);
      assert.equal(next, "handover resume --stack fake");
      assert.deepEqual(
        site.told.filter(({ type }) => type === "rollback-started"),
        [],
      );
    });

  it("goes on with what is left where AWS did not show in time what an update had made", async () => {
    let late = 2;
    site.beforeUp = (row) => {
      if (row === "launch-first" && late-- > 0) throw new NotYetShownError("couldn't find resource", undefined);
    };
    const { exitCode, live } = await upgrade();
    assert.deepEqual([exitCode, live, site.mended], [0, "green", 2]);
    const said = site.told.flatMap((event) => (event.type === "warning" ? [event.message] : []));
    assert.match(said.join(), /launch-first goes on with what is left\. AWS did not show .* couldn't find resource/);
  });

  it("goes on as long as each time less is left: a large update may meet it more often than a small one", async () => {
    let left = 8;
    site.operationsOf = (row) => {
      if (row !== "launch-first") return [];
      const instances = Array.from({ length: left }, (_, index) => `green-${index + 1}`);
      return instances.map((name) => ({ op: "create", urn: "urn", type: types.instance, name, properties: [] }));
    };
    site.beforeUp = (row) => {
      if (row === "launch-first" && --left > 0) throw new NotYetShownError("couldn't find resource", undefined);
    };
    const { exitCode, live } = await upgrade();
    assert.deepEqual([exitCode, live, site.mended], [0, "green", 7]);
  });

  it("pauses where AWS does not show at all what an update had made: nothing is known against it", async () => {
    site.beforeUp = (row) => {
      if (row === "launch-first") throw new NotYetShownError("couldn't find resource", undefined);
    };
    const { exitCode, outcome, message } = await upgrade();
    assert.deepEqual([exitCode, outcome, site.applied.includes("launch-first")], [3, "paused", false]);
    assert.match(
      String(message),
      /AWS did not show what the update had just made\. .*blue serves\. .*handover resume --stack fake/,
    );
  });

  it("says what serves when nothing could be seen while traffic is shared", async () => {
    site.beforeUp = (row) => {
      site.unreachable = row === "connect";
    };
    const { exitCode, message } = await upgrade();
    assert.equal(exitCode, 3);
    assert.match(String(message), /Nothing was taken back: blue \(\d+ %\) and green \(\d+ %\) serve\. Find out why/);
  });

  it("pauses before a phase that the credentials do not outlive, and goes on with others", async () => {
    site.beforeUp = (row) => {
      if (row === "launch-rest") site.credentialsEnd = new Date(Date.now() + 5000);
    };
    const { exitCode, outcome, phase, message } = await upgrade();
    assert.deepEqual([exitCode, outcome, phase, site.applied.at(-1)], [3, "paused", "connect", "launch-rest"]);
    assert.match(String(message), /The credentials end in \d s .* connect takes about \d+ s.*aws sso login/);
    site.credentialsEnd = new Date(Date.now() + 3_600_000);
    assert.equal((await upgrade(begun())).exitCode, 0);
  });

  it("pauses with a message when the ledger cannot be reached either", async () => {
    const expired = Object.assign(new Error("The security token is expired"), { name: "ExpiredTokenException" });
    let isOver = false;
    site.beforeUp = (row) => {
      if (row !== "connect") return;
      isOver = true;
      throw new EngineBlindError("credentials", "ExpiredToken", undefined);
    };
    site.isLost = () => {
      if (isOver) throw expired;
      return false;
    };
    const { exitCode, message } = await upgrade();
    assert.equal(exitCode, 3);
    assert.match(String(message), /blue serves.*aws sso login/);
  });

  it("does not say that it goes back when nothing can be asked: it pauses, and rollback leads on", async () => {
    site.beforeUp = (row) => {
      if (row !== "connect") return;
      site.unreachable = true;
      throw new Error("InsufficientInstanceCapacity");
    };
    const { exitCode, outcome, message, next } = await upgrade();
    assert.deepEqual([exitCode, outcome, site.applied.at(-1)], [3, "paused", "launch-rest"]);
    assert.match(String(message), /InsufficientInstanceCapacity\. Nothing was taken back: AWS cannot be reached/);
    assert.equal(next, "handover rollback --stack fake");
    assert.deepEqual(
      site.told.filter(({ type }) => type === "rollback-started"),
      [],
    );
    assert.equal(begun().rollingBack, false);
  });

  it("pauses when the engine died", async () => {
    failIn("connect", new EngineDiedError("signal: killed", undefined));
    const { exitCode, outcome } = await upgrade();
    assert.deepEqual([exitCode, outcome, site.applied.at(-1)], [3, "paused", "launch-rest"]);
  });

  it("needs a person when retire was begun and failed: there is no way back", async () => {
    failIn("retire");
    const { exitCode, outcome } = await upgrade();
    assert.deepEqual([exitCode, outcome, site.applied.at(-1)], [4, "failed", "drain"]);
    assert.equal(begun().reached, "retire");
  });

  it("launches a new server anew that somebody ended when there is no way back any more", async () => {
    failIn("retire");
    await upgrade();
    site.ended.add("i-green-1");
    site.beforeUp = () => {};
    const { exitCode, live } = await upgrade(begun());
    assert.deepEqual([exitCode, live, site.applied.slice(-2)], [0, "green", ["drain", "retire"]]);
  });

  for (const phase of [...waysBack.map(([name]) => name), "retire"]) {
    it(`needs a person when the plan of ${phase} would touch a live server: exit code 4, and none of it is applied`, async () => {
      const bad: Operation = {
        op: "create-replacement",
        type: "aws:ec2/instance:Instance",
        urn: "urn:pulumi:fake::handover::aws:ec2/instance:Instance::blue-1",
        name: "blue-1",
        properties: ["ami"],
      };
      site.operationsOf = (row) => (row === phase ? [bad] : []);
      const { exitCode, message } = await upgrade();
      assert.equal(exitCode, 4);
      assert.match(
        message ?? "",
        /create-replacement aws:ec2\/instance:Instance blue-1 \(ami\).*Next: `handover resume --stack fake`$/,
      );
      assert.ok(!site.applied.includes(phase));
      assert.ok(!site.applied.includes("settle"));
    });
  }

  describe("that waits for approval", () => {
    const pauseBefore = ["connect"];

    it("has not begun the phase, asks for its first plan alone, and goes on with what was approved", async () => {
      const { exitCode, outcome, digest } = await upgrade(fresh, { pauseBefore });
      assert.deepEqual([exitCode, outcome, digest], [3, "paused", "connect 1"]);
      assert.equal(begun().reached, "launch-rest");
      site.ledger.push({ type: "approved", phase: "connect", digest: "connect 1", by: "ada" });
      assert.equal((await upgrade(begun(), { pauseBefore })).exitCode, 0);
    });

    it("is not gone on with by resuming without the option, nor by an approval of another plan", async () => {
      await upgrade(fresh, { pauseBefore });
      assert.equal((await upgrade(begun())).exitCode, 3);
      site.ledger.push({ type: "approved", phase: "connect", digest: "another", by: "ada" });
      assert.equal((await upgrade(begun())).exitCode, 3);
    });

    it("goes on without one when that is what is wanted", async () => {
      await upgrade(fresh, { pauseBefore });
      assert.equal((await upgrade(begun(), { autoApprove: true })).exitCode, 0);
    });

    it("waits before the migrations too, which have not run then", async () => {
      const { exitCode } = await upgrade(fresh, { pauseBefore: ["migrate"] });
      assert.equal(exitCode, 3);
      assert.deepEqual([begun().reached, site.applied], ["backup", ["backup"]]);
    });
  });

  describe("back", () => {
    const back = async () => {
      const { reached = "backup", back: behind, baseline } = begun();
      const drive = driveAfter(site.drive(), baseline);
      const walker = new Walker(drive, run);
      const way = { ...run, reached, back: behind };
      return putBack(drive, walker, way, { reason: "A rollback was asked for", exitCode: 0 });
    };

    it("pauses when nothing could be seen on the way, and goes on from there", async () => {
      await upgrade(fresh, { pauseBefore: ["retire"] });
      site.beforeUp = (row) => {
        site.unreachable = row === "withdraw";
      };
      const paused = await back();
      assert.deepEqual([paused.exitCode, paused.outcome], [3, "paused"]);
      const behind = site.applied.length;
      site.beforeUp = () => {};
      site.unreachable = false;
      const { exitCode, live } = await back();
      assert.deepEqual([exitCode, live, rowsOf(site.applied.slice(behind))], [0, "blue", ["withdraw", "settle"]]);
      assert.deepEqual(site.intent, site.settled);
    });

    it("has ended when the old generation is alone, also where nothing could be seen since; it says what", async () => {
      await upgrade(fresh, { pauseBefore: ["observe"] });
      site.beforeUp = (row) => {
        site.unreachable = row === "settle";
      };
      const { exitCode, outcome, message } = await back();
      assert.deepEqual([exitCode, outcome, site.intent], [0, "rolled-back", site.settled]);
      assert.match(message ?? "", /blue serves, and green is gone.*not be seen.*no route to AWS.*handover status/);
    });

    it("has ended, and needs a person, when the old generation is alone and is not well", async () => {
      await upgrade(fresh, { pauseBefore: ["observe"] });
      site.beforeUp = (row) => {
        if (row === "settle") site.sick.add("blue");
      };
      const { exitCode, outcome, message } = await back();
      assert.deepEqual([exitCode, outcome, site.intent], [4, "rolled-back", site.settled]);
      assert.match(message ?? "", /targets healthy: blue/);
    });

    it("launches old servers anew that somebody ended, before anything comes back to them", async () => {
      await upgrade(fresh, { pauseBefore: ["observe"] });
      const behind = site.applied.length;
      const [last] = site.applied.slice(-1);
      site.ended.add("i-blue-1");
      const { exitCode } = await back();
      assert.deepEqual([exitCode, rowsOf(site.applied.slice(behind))], [0, [last, "withdraw", "settle"]]);
      assert.ok(site.told.some((event) => event.type === "warning" && /blue-1 .* is terminated/.test(event.message)));
    });

    /** Where each address is, and who has the traffic. */
    const serving = () => [
      site.intent.addresses.map(({ generation, frontend }) => `${generation}-${frontend + 1}`),
      site.intent.weights,
      Object.keys(site.intent.generations),
    ];

    for (const before of ["connect", "observe", "drain", "retire"])
      it(`puts back what can be without a stopped old server, and all of it once a person has started it: before ${before}`, async () => {
        await upgrade(fresh, { pauseBefore: [before] });
        site.stopped.add("i-blue-1");
        const behind = serving();
        const { exitCode, outcome, message } = await back();
        assert.deepEqual([exitCode, outcome], [3, "paused"]);
        assert.match(message ?? "", /start-instances .*i-blue-1.*Next: `handover resume --stack fake`/);
        if (before === "connect") assert.deepEqual(serving(), behind);
        else {
          assert.match(message ?? "", /blue serves without it, and 127\.0\.0\.1 is answered by green/);
          assert.deepEqual(serving(), [["green-1", "blue-2"], { blue: 100, green: 0 }, ["blue", "green"]]);
        }
        assert.equal((await back()).exitCode, 3);
        site.stopped.clear();
        assert.deepEqual([(await back()).exitCode, site.intent], [0, site.settled]);
      });

    for (const before of ["observe", "retire"])
      it(`puts back what can be while an old server cannot be launched anew, and all of it once it can: before ${before}`, async () => {
        await upgrade(fresh, { pauseBefore: [before] });
        site.ended.add("i-blue-1");
        site.noRoom = true;
        const { exitCode, outcome, message } = await back();
        assert.deepEqual([exitCode, outcome], [3, "paused"], message);
        assert.match(
          message ?? "",
          /blue-1 .*InsufficientInstanceCapacity.* blue serves without it.*Next: `handover resume/,
        );
        assert.deepEqual(serving(), [["green-1", "blue-2"], { blue: 100, green: 0 }, ["blue", "green"]]);
        assert.equal((await back()).exitCode, 3);
        assert.deepEqual(serving()[0], ["green-1", "blue-2"]);
        site.noRoom = false;
        assert.deepEqual([(await back()).exitCode, site.intent], [0, site.settled]);
      });

    it("creates the test host name's rule anew that somebody deleted, going on and going back", async () => {
      await upgrade(fresh, { pauseBefore: ["observe"] });
      site.ruleIsGone = true;
      assert.equal((await upgrade(begun(), { pauseBefore: ["drain"] })).exitCode, 3);
      assert.equal(site.ruleIsGone, false);
      site.ruleIsGone = true;
      assert.deepEqual([(await back()).exitCode, site.intent, site.ruleIsGone], [0, site.settled, false]);
    });

    it("creates the rule anew that was deleted after it was last asked for, before only one generation is left", async () => {
      site.beforeUp = (row) => {
        site.ruleIsGone ||= row === "drain";
      };
      assert.deepEqual([(await upgrade()).exitCode, site.ruleIsGone], [0, false]);
    });

    it("puts an address back that was moved from its new server, before the old ones take it along", async () => {
      site.beforeUp = (row) => {
        if (row === "drain") site.moved.set("eipalloc-1", "i-blue-1");
      };
      assert.deepEqual([(await upgrade()).exitCode, site.moved.size], [0, 0]);
    });

    it("leaves an address where somebody moved it before the run, until its turn comes", async () => {
      site.moved.set("eipalloc-1", "i-blue-2");
      await upgrade(fresh, { pauseBefore: ["connect"] });
      assert.deepEqual([...site.moved], [["eipalloc-1", "i-blue-2"]]);
    });

    it("puts an address back that was taken while the old servers ended, and goes on to the goal", async () => {
      let left = 1;
      site.beforeUp = (row) => {
        if (row === "retire" && left-- > 0) site.moved.set("eipalloc-1", "");
      };
      const { exitCode, message } = await upgrade();
      assert.deepEqual([exitCode, site.moved.size], [0, 0], message);
    });

    it("does not end in silence where an address stays on no server: what is typed next puts it back", async () => {
      site.isKept = true;
      site.beforeUp = (row) => {
        if (row === "retire") site.moved.set("eipalloc-1", "");
      };
      const { exitCode, next } = await upgrade();
      assert.deepEqual([exitCode, next], [4, "handover resume --stack fake"]);
      site.isKept = false;
      site.beforeUp = () => {};
      const again = await upgrade(begun());
      assert.deepEqual([again.exitCode, site.moved.size], [0, 0], again.message);
    });

    it("creates the rule anew that was deleted on the way back", async () => {
      await upgrade(fresh, { pauseBefore: ["observe"] });
      site.beforeUp = (row) => {
        site.ruleIsGone ||= row === "withdraw";
      };
      assert.deepEqual([(await back()).exitCode, site.ruleIsGone], [0, false]);
    });

    it("tells what users of the Elastic IPs met while these moved, there and back", async () => {
      site.operationsOf = (row) =>
        row === "move-addresses" || row === "withdraw"
          ? [{ op: "replace", urn: "urn", type: types.eipAssociation, name: "address-1", properties: [] }]
          : [];
      await upgrade(fresh, { pauseBefore: ["observe"] });
      assert.equal((await back()).exitCode, 0);
      const met = site.told.flatMap((event) =>
        event.type === "gate" && event.gate === "addresses answer while they move" ? [event] : [],
      );
      assert.deepEqual(new Set(met.map(({ phase }) => phase)), new Set(["move-addresses", "withdraw"]));
      assert.ok(met.every(({ verdict }) => verdict === "pass"));
    });

    /** Traffic of the new ones and the holder of the first address, before each update of the way back. */
    const order = () => {
      const seen: string[] = [];
      site.beforeUp = (row) => {
        const [first] = site.intent.addresses;
        if (row === "withdraw") seen.push(`${site.intent.weights.green} ${first?.generation}`);
      };
      return seen;
    };

    for (const shiftPercent of [[10, 50], [100]])
      it(`proves on every node that old servers have no traffic before an address leaves them: shares ${shiftPercent.join(", ")}`, async () => {
        site.close();
        site = await FakeSite.open({ shiftPercent });
        let isProven = false;
        const moves: boolean[] = [];
        site.beforeUp = (row) => {
          isProven = site.told.some(
            ({ type, ...event }) => type === "gate" && "gate" in event && /^weights everywhere/.test(event.gate),
          );
          if (row === "move-addresses" && site.intent.weights.blue === 0) moves.push(isProven);
        };
        assert.equal((await upgrade()).exitCode, 0);
        assert.deepEqual(moves, [true, true]);
      });

    it("takes addresses back once all traffic is, so that no new server serves without a way out", async () => {
      await upgrade(fresh, { pauseBefore: ["observe"] });
      const seen = order();
      assert.equal((await back()).exitCode, 0);
      assert.deepEqual(seen, ["100 green", "0 green", "0 blue"]);
    });

    it("takes traffic and addresses back in one update where old servers call nobody without", async () => {
      await upgrade(fresh, { pauseBefore: ["observe"] });
      site.shut.add("i-blue-1").add("i-blue-2");
      const seen = order();
      assert.equal((await back()).exitCode, 0);
      assert.deepEqual(seen, ["100 green", "0 blue"]);
    });

    it("takes the address of a new server back with the traffic where that does not serve any more", async () => {
      await upgrade(fresh, { pauseBefore: ["observe"] });
      site.sick.add("green");
      const seen = order();
      assert.equal((await back()).exitCode, 0);
      assert.deepEqual(seen, ["100 green", "0 blue"]);
    });

    it("goes back where new servers cannot call the Internet, before they have traffic", async () => {
      site.shut.add("i-green-1");
      const { exitCode, message } = await upgrade();
      assert.deepEqual([exitCode, site.intent], [2, site.settled]);
      assert.match(message ?? "", /way out/);
    });

    it("registers an old server again that somebody deregistered on the way back", async () => {
      await upgrade(fresh, { pauseBefore: ["observe"] });
      let left = 1;
      site.beforeUp = (row) => {
        if (row === "withdraw" && left-- > 0) site.deregistered.add("i-blue-1");
      };
      const { exitCode, message } = await back();
      assert.deepEqual([exitCode, site.intent, site.deregistered.size], [0, site.settled, 0], message);
    });

    it("launches an old server anew that somebody ended on the way back, in the middle of an update", async () => {
      await upgrade(fresh, { pauseBefore: ["retire"] });
      let left = 1;
      site.beforeUp = (row) => {
        if (row !== "readmit" || left-- <= 0) return;
        site.ended.add("i-blue-1");
        throw new HandoverError("update-failed", 2, "The update failed. InvalidInstanceID");
      };
      const { exitCode, message } = await back();
      assert.deepEqual([exitCode, site.intent, site.read], [0, site.settled, ["blue-1"]], message);
    });

    it("creates the test host name's rule anew that was deleted while old servers prove themselves by it", async () => {
      await upgrade(fresh, { pauseBefore: ["retire"] });
      let left = 1;
      site.signs = true;
      site.beforeUp = (row) => {
        if (row === "readmit") site.ruleIsGone ||= left-- > 0;
      };
      const { exitCode, message } = await back();
      assert.deepEqual([exitCode, site.intent, site.ruleIsGone], [0, site.settled, false], message);
    });

    it("keeps the new generation where an old server does not stay in the pool, and goes on once it does", async () => {
      await upgrade(fresh, { pauseBefore: ["observe"] });
      site.beforeUp = (row) => {
        if (row === "withdraw") site.deregistered.add("i-blue-1");
      };
      const { exitCode, next } = await back();
      assert.deepEqual([exitCode, next], [3, "handover resume --stack fake"]);
      assert.deepEqual(Object.keys(site.intent.generations), ["blue", "green"]);
      site.beforeUp = () => {};
      assert.deepEqual([(await back()).exitCode, site.intent], [0, site.settled]);
    });

    for (const [before, ended] of [
      ["observe", ["i-green-1"]],
      ["retire", ["i-green-1"]],
      ["retire", ["i-green-1", "i-green-2"]],
    ] as const)
      it(`launches no new server anew only to remove it: ${ended.join(" and ")} ended before ${before}`, async () => {
        await upgrade(fresh, { pauseBefore: [before] });
        for (const id of ended) site.ended.add(id);
        site.noRoom = true;
        assert.deepEqual([(await back()).exitCode, site.intent], [0, site.settled]);
      });

    it("moves nothing while none of the old servers can serve", async () => {
      await upgrade(fresh, { pauseBefore: ["drain"] });
      const behind = serving();
      for (const id of ["i-blue-1", "i-blue-2"]) site.ended.add(id);
      site.noRoom = true;
      const { exitCode, message } = await back();
      assert.deepEqual([exitCode, serving()], [3, behind], message);
      assert.match(message ?? "", /traffic and addresses are where they were/);
    });

    it("does not wait for an old server that was stopped before the run", async () => {
      site.stopped.add("i-blue-2");
      await upgrade(fresh, { pauseBefore: ["observe"] });
      assert.deepEqual(
        begun().baseline?.bad.map(({ kind, id }) => [kind, id]),
        [["server", "i-blue-2"]],
      );
      const { exitCode, live } = await back();
      assert.deepEqual([exitCode, live], [0, "blue"]);
    });

    it("registers an old server again that somebody deregistered, and no new one: that is to go", async () => {
      await upgrade(fresh, { pauseBefore: ["observe"] });
      site.deregistered.add("i-blue-1").add("i-green-1");
      const { exitCode, live } = await back();
      assert.deepEqual([exitCode, live, site.read], [0, "blue", ["blue-1"]]);
    });

    const killIn = (row: string, times: number) => {
      let left = times;
      site.beforeUp = (each) => {
        if (each === row && left-- > 0) throw new EngineDiedError("signal: killed", undefined);
      };
    };

    for (const row of ["withdraw", "settle"]) {
      it(`does ${row} again when the engine dies in it: users do not wait for a person`, async () => {
        await upgrade(fresh, { pauseBefore: ["observe"] });
        killIn(row, 1);
        const { exitCode, live } = await back();
        assert.deepEqual([exitCode, live, site.mended, site.applied.slice(-2)], [0, "blue", 1, ["withdraw", "settle"]]);
        assert.deepEqual(site.intent, site.settled);
      });

      it(`pauses when the engine dies twice in ${row}, and goes on from there`, async () => {
        await upgrade(fresh, { pauseBefore: ["observe"] });
        killIn(row, 2);
        const paused = await back();
        assert.deepEqual([paused.exitCode, paused.outcome], [3, "paused"]);
        assert.match(paused.message ?? "", /signal: killed.*handover resume --stack fake/);
        const { exitCode, live } = await back();
        assert.deepEqual([exitCode, live, site.applied.slice(-2)], [0, "blue", ["withdraw", "settle"]]);
        assert.deepEqual(site.intent, site.settled);
      });
    }

    it("pauses when somebody works on the stack by hand meanwhile", async () => {
      await upgrade(fresh, { pauseBefore: ["observe"] });
      site.beforeUp = () => {
        throw new EngineBusyError("fake", "The engine of process 42 on this machine");
      };
      const { exitCode, message } = await back();
      assert.equal(exitCode, 3);
      assert.match(message ?? "", /process 42.*handover resume --stack fake/);
    });

    it("is on its way already when the engine dies after a gate has failed: exit code 2", async () => {
      sickAfter("connect");
      const sicken = site.beforeUp;
      killIn("withdraw", 1);
      const kill = site.beforeUp;
      site.beforeUp = (row) => {
        sicken(row);
        kill(row);
      };
      const { exitCode, outcome } = await upgrade();
      assert.deepEqual([exitCode, outcome, site.mended], [2, "rolled-back", 1]);
      assert.deepEqual(site.intent, site.settled);
    });

    it("from drain waits until the old servers are healthy again before traffic comes to them", async () => {
      await upgrade(fresh, { pauseBefore: ["retire"] });
      site.sick.add("blue");
      const { exitCode, message } = await back();
      assert.equal(exitCode, 4);
      assert.match(message ?? "", /targets healthy: blue/);
      assert.equal(site.intent.weights.green, 100);
    });
  });
});
