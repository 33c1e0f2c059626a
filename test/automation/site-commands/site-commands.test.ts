import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunEvent } from "../../../automation/documents/events.ts";
import type { LedgerEvent } from "../../../automation/ledger/events.ts";
import { type SiteCommand, SiteCommands } from "../../../automation/site-commands/site-commands.ts";
import { eventually } from "../../eventually.ts";

/** Bash scripts as a site's commands, with a ledger that keeps what it is given. */
function commands({ append = async (_event: LedgerEvent): Promise<void> => {} } = {}) {
  const recorded: LedgerEvent[] = [];
  const told: RunEvent[] = [];
  const ledger = {
    append: async (event: LedgerEvent) => {
      recorded.push(event);
      await append(event);
    },
    note: (event: LedgerEvent) => void recorded.push(event),
    tell: (event: RunEvent) => void told.push(event),
    redact: (text: string) => text.replaceAll("hunter2", "[secret]"),
  };
  const site = new SiteCommands({ environment: { TOLD: "inputs" }, ledger, states: {} });
  const run = (script: string, more: Partial<SiteCommand> = {}, signal = new AbortController().signal) =>
    site.run("migrate", { purpose: "migrate", command: ["bash", "-c", script], ...more }, signal);
  return { run, recorded, told, site };
}

describe("a site's command", () => {
  it("is on record before it runs and after it, with what it printed, and without secrets", async () => {
    const { run, recorded, told } = commands();
    const result = await run('echo "$TOLD hunter2"; echo problem >&2');
    assert.equal(result.verdict, "pass");
    const output = "inputs [secret]\nproblem";
    assert.deepEqual(
      recorded.map(({ type, ...rest }) => [type, "output" in rest ? rest.output : undefined]),
      [
        ["command-started", undefined],
        ["command-output", output],
        ["command-finished", undefined],
      ],
    );
    assert.deepEqual(
      told.map((event) => (event.type === "output" ? event.line : event.type)),
      output.split("\n"),
    );
  });

  it("does not run when it cannot be recorded", async () => {
    const directory = mkdtempSync(join(tmpdir(), "handover-command-"));
    try {
      const { run } = commands({ append: () => Promise.reject(new Error("no table")) });
      const file = join(directory, "ran");
      await assert.rejects(run(`touch ${file}`), { message: "no table" });
      assert.equal(existsSync(file), false);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("thaws even when it cannot be recorded", async () => {
    const { run } = commands({ append: () => Promise.reject(new Error("no table")) });
    assert.equal((await run("true", { purpose: "thaw" })).verdict, "pass");
  });

  it("fails with its exit code and the end of its output as evidence", async () => {
    const { run, site } = commands();
    const { verdict, evidence } = await run("seq 1 100; echo hunter2; exit 3");
    assert.equal(verdict, "fail");
    const { exitCode, output } = evidence as { exitCode: number; output: string[] };
    assert.deepEqual([exitCode, output.length, output.slice(-2)], [3, 20, ["100", "[secret]"]]);
    assert.equal(site.states.migrate, "failed");
  });

  it("fails when there is no such program", async () => {
    const { run, site } = commands();
    const { verdict, evidence } = await run("", { command: ["./no-such-program"] });
    assert.equal(verdict, "fail");
    assert.match(JSON.stringify(evidence), /ENOENT/);
    assert.equal(site.states.migrate, "failed");
  });

  it("is ended at its time limit with all that it started, and nobody knows then how far it got", async () => {
    const { run, site } = commands();
    const { verdict, evidence } = await run("sleep 600 & echo $!; wait", { timeoutSeconds: 1 });
    assert.equal(verdict, "fail");
    assert.match(JSON.stringify(evidence), /ended at its time limit of 1 s/);
    assert.equal(site.states.migrate, "cut-off");
    const { output } = evidence as { output: string[] };
    // The system ends what was killed a moment later.
    await eventually(async () => !isRunning(Number(output[0])), "what it started has ended");
  });

  it("is ended when the run is cancelled", async () => {
    const { run, told, site } = commands();
    const cancel = new AbortController();
    const running = run("echo begun; exec sleep 600", {}, cancel.signal);
    while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    cancel.abort();
    assert.match(JSON.stringify((await running).evidence), /cancelled/);
    assert.equal(site.states.migrate, "cut-off");
  });

  it("prints as much as it likes: the record keeps the beginning and the end, and says how much is missing", async () => {
    const { run, recorded } = commands();
    const lines = 40_000;
    await run(`seq 1 ${lines}; head -c 100000 /dev/zero | tr '\\0' x; echo; echo over`);
    const outputs = recorded.flatMap((event) => (event.type === "command-output" ? [event] : []));
    const text = outputs.map(({ output }) => output).join("\n");
    assert.ok(text.length < 200_000, `${text.length} characters`);
    assert.match(text, /^1\n2\n/);
    assert.match(text, /\nx{4000}\nover$/);
    const omitted = outputs.reduce((sum, event) => sum + (event.omitted ?? 0), 0);
    assert.equal(text.split("\n").length + omitted, lines + 2);
  });
}).timeout(20_000);

function isRunning(pid: number): boolean {
  assert.ok(pid > 0);
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
