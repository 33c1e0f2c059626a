import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parser } from "../../../automation/cli/parser.ts";
import type { RunResult } from "../../../automation/documents/events.ts";
import { endings, errors, type Situation, typed, withinRuns } from "../../../automation/documents/situations.ts";
import { EngineDiedError } from "../../../automation/engine/engine-errors.ts";
import { LeaseLostError, LedgerEmptyError } from "../../../automation/ledger/errors.ts";
import type { LedgerRecord } from "../../../automation/ledger/events.ts";
import { putBack } from "../../../automation/run/put-back.ts";
import { unfinishedRun } from "../../../automation/run/unfinished-run.ts";
import { walk } from "../../../automation/run/walk.ts";
import { Walker } from "../../../automation/run/walker.ts";
import { projectDirectory } from "../../../stacks/project.ts";
import { FakeSite } from "./fake-site.ts";

const run = { id: "r1", from: "blue", to: "green" };
const progress = { finished: [], asked: [], approved: new Set<string>(), commands: {} };

/** A run on a site where something happens; `mend` is the work that comes first. */
class Situated {
  readonly site: FakeSite;
  stop = new AbortController();

  constructor(site: FakeSite) {
    this.site = site;
  }

  upgrade(from: Parameters<typeof walk>[2] = progress, options = {}): Promise<RunResult> {
    const drive = this.site.drive({
      signals: { stop: this.stop.signal, cancel: new AbortController().signal },
      ...options,
    });
    return walk(drive, run, from);
  }

  rollback(options = {}): Promise<RunResult> {
    const drive = this.site.drive(options);
    const begun = this.begun;
    const why = { reason: "A rollback was asked for", exitCode: 0 } as const;
    return putBack(
      drive,
      new Walker(drive, run, begun.commands),
      { ...begun, reached: begun.reached ?? "backup" },
      why,
    );
  }

  get begun() {
    const start = { type: "run-started", run: "r1", from: "blue", to: "green" };
    const known = unfinishedRun([start, ...this.site.ledger].map((event) => ({ event }) as LedgerRecord));
    assert.ok(known !== undefined, "the run has ended");
    return known;
  }

  /** What the command that a message names does with the run. */
  async type(command: string): Promise<RunResult> {
    const options = {
      acceptSchema: command.includes("--accept-schema"),
      ...(command.includes("--migration done") && { migration: "done" as const }),
      ...(command.includes("--migration again") && { migration: "again" as const }),
    };
    if (command.startsWith("handover rollback")) return this.rollback(options);
    if (command.startsWith("handover approve")) {
      const digest = /--digest (\S.*?) &&/.exec(`${command} &&`)?.[1] ?? "";
      this.site.ledger.push({ type: "approved", phase: this.begun.waitingFor?.phase ?? "", digest, by: "ada" });
      return this.upgrade(this.begun);
    }
    assert.match(command, /^handover resume/);
    return this.begun.rollingBack ? this.rollback(options) : this.upgrade(this.begun, options);
  }

  failIn(row: string, error: Error, times = 1): void {
    let left = times;
    this.site.beforeUp = (each) => {
      if (each === row && left-- > 0) throw error;
    };
  }
}

interface Scenario {
  readonly upgrade?: object;
  readonly stop: (situated: Situated) => Promise<RunResult>;
  readonly mend?: (situated: Situated) => void;
}

const calm = ({ site }: Situated) => {
  site.beforeUp = () => {};
  site.operationsOf = () => [];
  site.sick.clear();
  site.stopped.clear();
  site.unreachable = false;
};
const died = new EngineDiedError("signal: killed", undefined);
const failed = new Error("InsufficientInstanceCapacity");
const paused = (before: string) => (situated: Situated) => situated.upgrade(progress, { pauseBefore: [before] });

/** Each end that a walk can come to, made to come about. */
const scenarios: Partial<Record<keyof typeof endings, Scenario>> = {
  reached: { stop: (situated) => situated.upgrade() },
  "rolled-back": {
    stop: (situated) => {
      situated.failIn("connect", failed);
      return situated.upgrade();
    },
  },
  "paused: approval": { stop: paused("connect") },
  "paused: inconclusive": {
    stop: (situated) => {
      situated.failIn("connect", died);
      return situated.upgrade();
    },
  },
  "paused: needs-person": {
    upgrade: { migrate: { command: ["true"] } },
    stop: (situated) => {
      situated.site.ledger.push({ type: "command-started", phase: "migrate", purpose: "migrate", command: ["true"] });
      return situated.upgrade(situated.begun);
    },
  },
  "paused: server-stopped": {
    stop: async (situated) => {
      await paused("observe")(situated);
      situated.site.stopped.add("i-blue-1");
      return situated.rollback();
    },
  },
  "paused: server-missing": {
    stop: async (situated) => {
      await paused("observe")(situated);
      situated.site.ended.add("i-blue-1");
      situated.site.noRoom = true;
      return situated.rollback();
    },
    mend: ({ site }) => {
      site.noRoom = false;
    },
  },
  "paused: going back": {
    stop: async (situated) => {
      await paused("observe")(situated);
      situated.failIn("withdraw", died, 2);
      return situated.rollback();
    },
  },
  "failed: refused": {
    stop: (situated) => {
      const type = "aws:ec2/instance:Instance";
      situated.site.operationsOf = (row) =>
        row === "connect" ? [{ op: "replace", type, name: "blue-1", urn: "u", properties: [] }] : [];
      return situated.upgrade();
    },
  },
  "failed: no way back": {
    stop: (situated) => {
      situated.failIn("retire", failed);
      return situated.upgrade();
    },
  },
  "failed: going back": {
    stop: async (situated) => {
      await paused("observe")(situated);
      situated.failIn("withdraw", failed);
      return situated.rollback();
    },
  },
  "failed: not reversible": {
    upgrade: { migrate: { command: ["true"], reversible: false } },
    stop: async (situated) => {
      await paused("observe")(situated);
      return situated.rollback();
    },
  },
  interrupted: {
    stop: (situated) => {
      situated.site.beforeUp = (row) => {
        if (row === "connect") situated.stop.abort("SIGINT");
      };
      return situated.upgrade();
    },
    mend: (situated) => {
      situated.stop = new AbortController();
    },
  },
};

/** Those that need a ledger or another command, and are proven in the tests of these. */
const elsewhere = ["aborted", "failed: thaw", "paused: outside a run", "failed: outside a run"];

const digests = (command: string) => command.replace(/--digest .*?(?= &&|$)/, "--digest DIGEST");

/** Commands in a message, one by one. */
function commandsOf(message: string): string[] {
  return [...message.matchAll(/`(handover [^`]+)`/g)].flatMap(([, typed = ""]) => digests(typed).split(" && "));
}

function allowed({ next, or = [] }: Situation): string[] {
  return [...(next === undefined ? [] : [next]), ...or.map(({ type }) => type)].map((each) => typed(each, "fake"));
}

describe("what stops a run", () => {
  for (const [name, { upgrade = {}, stop, mend }] of Object.entries(scenarios)) {
    const situation: Situation = endings[name as keyof typeof endings];

    it(`is told as data says: ${name}`, async () => {
      const situated = new Situated(await FakeSite.open(upgrade));
      try {
        const { exitCode, outcome, message = "", next } = await stop(situated);
        assert.equal(outcome, name.split(":")[0]);
        assert.ok(situation.exitCodes.includes(exitCode as never), String(exitCode));
        const ways = [...allowed(situation), typed(["resume"], "fake"), typed(["status"], "fake")];
        for (const command of commandsOf(message).filter((each) => !each.startsWith("handover history")))
          assert.ok(ways.includes(command), `${command}: ${message}`);
        if (situation.next !== undefined)
          assert.equal(digests(next ?? "").split(" && ")[0], typed(situation.next, "fake"));
      } finally {
        situated.site.close();
      }
    });

    for (const [index, way] of allowed(situation).entries()) {
      if (!/handover (resume|rollback|approve)/.test(way)) continue;
      it(`is ended by what it tells to type: ${name}: ${way}`, async () => {
        const situated = new Situated(await FakeSite.open(upgrade));
        try {
          const { message = "", next = "" } = await stop(situated);
          const told =
            index === 0 && situation.next !== undefined
              ? next
              : (/`([^`]+)`/g.exec(message.slice(message.indexOf(`\`${way}`)))?.[1] ?? "");
          calm(situated);
          mend?.(situated);
          const { outcome, message: then } = await situated.type(told);
          assert.ok(["reached", "rolled-back"].includes(outcome), then);
        } finally {
          situated.site.close();
        }
      });
    }
  }

  it("is nothing that is not in the table", () => {
    const known = [...Object.keys(scenarios), ...elsewhere];
    assert.deepEqual(
      Object.keys(endings).filter((name) => !known.includes(name)),
      [],
    );
    const source = globSync("automation/**/*.ts", { cwd: projectDirectory }).map((file) =>
      readFileSync(join(projectDirectory, file), "utf8"),
    );
    const codes = source.flatMap((text) =>
      [...text.matchAll(/(?:HandoverError|super|refusal)\(\s*"([a-z]+(?:-[a-z]+)*)"/g)].map(([, code = ""]) => code),
    );
    const told: readonly string[] = [...Object.keys(errors), ...withinRuns];
    assert.deepEqual(
      [...new Set(codes)].filter((code) => !told.includes(code)),
      [],
      "add it to automation/documents/situations.ts",
    );
    assert.ok(codes.length > 10);
  });

  it("tells to type what the command line understands", async () => {
    for (const situation of [...Object.values(endings), ...Object.values(errors)])
      for (const command of allowed(situation)) {
        const args = command.split(" ").slice(1);
        await parser(args, async () => {}).parseAsync(args, {}, () => undefined);
      }
  });

  it("is said by the ledger with the stack's name, which it does not know", () => {
    const lost = new LeaseLostError("it was released").explain("production");
    assert.match(lost, /Next: `handover resume --stack production`.*`handover status --stack production`/);
    assert.match(new LedgerEmptyError().explain("production"), /Next: `handover upgrade --stack production`/);
  });
});
