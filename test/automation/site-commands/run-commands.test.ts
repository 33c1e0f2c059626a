import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LedgerEvent } from "../../../automation/ledger/events.ts";
import type { CommandStates, Ruling } from "../../../automation/site-commands/command-states.ts";
import { ThawError } from "../../../automation/site-commands/freeze.ts";
import { CutOffError, RunCommands } from "../../../automation/site-commands/run-commands.ts";
import { configOf } from "../config.ts";

describe("the site's commands in a run", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "handover-commands-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const file = () => join(directory, "happened");
  /** A command that leaves a word in a file. */
  const does = (word: string, then = "true") => ({ command: ["bash", "-c", `echo ${word} >> ${file()}; ${then}`] });
  const happened = () => (existsSync(file()) ? readFileSync(file(), "utf8").trim().split("\n") : []);

  function commandsOf(upgrade: object, states: CommandStates = {}, ruling?: Ruling) {
    const { config } = configOf({ upgrade });
    const recorded: LedgerEvent[] = [];
    const ledger = {
      append: async (event: LedgerEvent) => void recorded.push(event),
      note: (event: LedgerEvent) => void recorded.push(event),
      tell: () => undefined,
      redact: (text: string) => text,
    };
    const commands = new RunCommands({
      stack: "production",
      site: "handover-production",
      config,
      snapshots: { ofRun: async () => [] },
      identity: { id: "r1", from: "blue", to: "green" },
      ledger,
      cancel: new AbortController().signal,
      states,
      ruling,
    });
    return { commands, recorded };
  }

  it("migrate with the new generation's inputs and the run's names as environment", async () => {
    await commandsOf({ migrate: does("$APP_REVISION $HANDOVER_STACK $HANDOVER_RUN $HANDOVER_TO") }).commands.migrate();
    assert.deepEqual(happened(), ["42 production r1 green"]);
  });

  it("do not migrate a second time after the first was cut off, and say what to type", async () => {
    const { commands } = commandsOf({ migrate: does("migrated") }, { migrate: "cut-off" });
    await assert.rejects(commands.migrate(), (error) => {
      assert.ok(error instanceof CutOffError);
      assert.equal(error.exitCode, 3);
      for (const next of ["done", "again"])
        assert.ok(error.message.includes(`\`handover resume --stack production --migration ${next}\``), error.message);
      return true;
    });
    assert.deepEqual(happened(), []);
  });

  it("migrate again when a person or the configuration says so", async () => {
    await commandsOf({ migrate: does("word") }, { migrate: "cut-off" }, "again").commands.migrate();
    await commandsOf({ migrate: { ...does("flag"), idempotent: true } }, { migrate: "cut-off" }).commands.migrate();
    assert.deepEqual(happened(), ["word", "flag"]);
  });

  it("put on record who says that a migration is complete", async () => {
    const { commands, recorded } = commandsOf({ migrate: does("migrated") }, { migrate: "cut-off" }, "done");
    await commands.migrate();
    assert.deepEqual(happened(), []);
    const [event] = recorded;
    assert.ok(event?.type === "command-finished" && event.exitCode === 0 && event.by !== undefined);
  });

  it("undo migrations once", async () => {
    const migrate = { ...does("migrated"), rollbackCommand: does("undone").command };
    const { commands } = commandsOf({ migrate }, { migrate: "done" });
    await commands.undoMigrations();
    await commands.undoMigrations();
    assert.deepEqual(happened(), ["undone"]);
    const cutOff = commandsOf({ migrate }, { "undo-migrations": "cut-off" }).commands;
    await assert.rejects(cutOff.undoMigrations(), /handover rollback --stack production --migration done/);
  });

  const backup = (thaw = does("thaw")) => ({ freeze: does("freeze"), thaw });

  it("freeze around the snapshot, and thaw after one that failed", async () => {
    const { commands } = commandsOf({ backup: backup() });
    await assert.rejects(
      commands.whileFrozen(async () => {
        assert.deepEqual(happened(), ["freeze"]);
        throw new Error("no snapshot");
      }),
      { message: "no snapshot" },
    );
    assert.deepEqual(happened(), ["freeze", "thaw"]);
  });

  it("thaw what a run that was killed left frozen, and only that", async () => {
    await commandsOf({ backup: backup() }, { freeze: "done", thaw: "done" }).commands.thawIfFrozen();
    assert.deepEqual(happened(), []);
    const { commands } = commandsOf({ backup: backup() }, { freeze: "cut-off" });
    await commands.thawIfFrozen();
    await commands.thawIfFrozen();
    assert.deepEqual(happened(), ["thaw"]);
  });

  it("say that the database may still be frozen when it does not thaw", async () => {
    const { commands } = commandsOf({ backup: backup(does("thaw", "exit 1")) }, { freeze: "done" });
    await assert.rejects(commands.thawIfFrozen(), ThawError);
    const { commands: without } = commandsOf({}, { freeze: "done" });
    await assert.rejects(without.thawIfFrozen(), /backup\.thaw is gone from the configuration/);
  });
}).timeout(20_000);
