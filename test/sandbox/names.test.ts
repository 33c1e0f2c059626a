import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sandboxDirectory } from "../../sandbox/environment.ts";
import { isRunning, stopProcess } from "../../sandbox/processes.ts";
import { rehearse } from "../../sandbox/rehearsal.ts";
import { down, find, stackFile, up } from "../../sandbox/sandbox.ts";

const name = "sandbox-names";
const rehearsal = {
  ...{ name, like: "staging", requestsPerSecond: 1, listener: () => undefined },
  signals: { stop: new AbortController().signal, cancel: new AbortController().signal },
};

describe("a sandbox's name", () => {
  let service: ChildProcess | undefined;

  afterEach(async () => {
    await stopProcess(service?.pid);
    rmSync(sandboxDirectory(name), { recursive: true, force: true });
    rmSync(stackFile(name), { force: true });
  });

  for (const other of ["", ".", "..", "../automation", "a/b", "-a", "a b", "a".repeat(101)]) {
    it(`leads to no other folder: ${JSON.stringify(other.slice(0, 20))}`, async () => {
      const refusal = { code: "usage", exitCode: 1, message: /is no name of a stack\. Nothing was changed\./ };
      await assert.rejects(up({ name: other }), refusal);
      await assert.rejects(down(other), refusal);
      assert.throws(() => find(other), refusal);
    });
  }

  it("may not be that of a stack of one's own, whose file would be overwritten or removed", async () => {
    writeFileSync(stackFile(name), "config: {}\n");
    const refusal = { code: "not-a-sandbox", exitCode: 1, message: /is no sandbox's, and would be overwritten/ };
    await assert.rejects(up({ name }), refusal);
    await assert.rejects(rehearse(rehearsal), refusal);
    assert.equal(await down(name), false);
    assert.equal(readFileSync(stackFile(name), "utf8"), "config: {}\n");
    assert.ok(!existsSync(sandboxDirectory(name)));
  });

  it("may not be that of a sandbox that is up, which a rehearsal would end", async () => {
    service = spawn("sleep", ["60"]);
    mkdirSync(join(sandboxDirectory(name), "state"), { recursive: true });
    writeFileSync(join(sandboxDirectory(name), "sandbox.json"), JSON.stringify({ processes: { cloud: service.pid } }));
    writeFileSync(stackFile(name), "config: {}\n");
    await assert.rejects(rehearse(rehearsal), { code: "sandbox-up", exitCode: 1 });
    assert.ok(isRunning(service.pid ?? 0));
    assert.equal(await down(name), true);
    assert.ok(!isRunning(service.pid ?? 0) && !existsSync(stackFile(name)));
  });
});
