import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { ConcurrentUpdateError } from "@pulumi/pulumi/automation/index.js";
import { BriefCommand } from "../../../automation/engine/brief-command.ts";

/** An engine that does what its first argument says. */
const engine = `#!${process.execPath}
const { readFileSync } = require("node:fs");
const [does] = process.argv.slice(2);
const group = () => Number(readFileSync("/proc/self/stat", "utf8").split(") ")[1].split(" ")[2]);
if (does === "version") console.log("v3.220.0");
else if (does === "group") console.log(JSON.stringify({ own: process.pid, group: group(), args: process.argv.slice(2) }));
else if (does === "locked") { console.error("error: the stack is currently locked by 1 lock(s)."); process.exit(255); }
else if (does === "die") process.kill(process.pid, "SIGKILL");
else {
  process.on("SIGINT", () => { console.error("cancelled"); process.exit(255); });
  console.log("at work");
  setInterval(() => {}, 1000);
}
`;

describe("the engine's command line", () => {
  const directory = mkdtempSync(join(tmpdir(), "handover-test-"));
  const { PATH } = process.env;
  let command: BriefCommand;
  before(async () => {
    writeFileSync(join(directory, "pulumi"), engine);
    chmodSync(join(directory, "pulumi"), 0o755);
    process.env.PATH = [directory, PATH].join(delimiter);
    command = await BriefCommand.get();
  });
  after(() => {
    process.env.PATH = PATH;
    rmSync(directory, { recursive: true });
  });

  it("has a process group of its own: a Ctrl-C in the terminal reaches the driver alone", async () => {
    const { stdout } = await command.run(["group"], directory, {});
    const { own, group, args } = JSON.parse(stdout);
    assert.equal(group, own);
    assert.deepEqual(args, ["group", "--non-interactive"]);
  });

  it("is asked to cancel when the signal says so", async () => {
    const stop = new AbortController();
    const run = command.run(["work"], directory, {}, () => stop.abort(), undefined, stop.signal);
    await assert.rejects(run, /cancelled/);
  });

  it("fails with the API's own errors", async () => {
    await assert.rejects(command.run(["locked"], directory, {}), ConcurrentUpdateError);
    await assert.rejects(command.run(["die"], directory, {}), /was killed with SIGKILL/);
  });

  it("starts nothing once the lease or the signal says so", async () => {
    await assert.rejects(
      command.run(["work"], directory, {}, undefined, undefined, AbortSignal.abort(new Error("no"))),
      {
        message: "no",
      },
    );
    command.assertMayRun = () => {
      throw new Error("lost");
    };
    await assert.rejects(command.run(["work"], directory, {}), { message: "lost" });
  });
});
