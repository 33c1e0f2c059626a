import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { hostname } from "node:os";
import { endDeadEngine, lockHolders } from "../../../automation/engine/end-engine.ts";
import { processStart } from "../../../automation/processes/identity.ts";

const driven = ["--exec-kind", "auto.inline", "--stack", "production"];
const deaf = "process.on('SIGINT', () => {}); process.stdout.write('ready'); setInterval(() => {}, 1000)";
const hearing = "process.stdout.write('ready'); setInterval(() => {}, 1000)";

describe("the engine of a driver that lost its lease", () => {
  const started: ChildProcess[] = [];
  afterEach(() => {
    for (const child of started.splice(0)) child.kill("SIGKILL");
  });

  async function engine(program: string, args: readonly string[] = driven, name = "pulumi") {
    const child = spawn(process.execPath, ["-e", program, "--", ...args], {
      argv0: name,
      stdio: ["ignore", "pipe", "ignore"],
    });
    started.push(child);
    await once(child.stdout, "data");
    return { child, holder: { host: hostname(), pid: child.pid ?? 0, since: Date.now() } };
  }
  const end = (holder: Parameters<typeof endDeadEngine>[0], assertMayRun = () => {}, leased = true) =>
    endDeadEngine(holder, {
      stack: "production",
      signal: new AbortController().signal,
      leased,
      assertMayRun,
      graceSeconds: 0.5,
    });
  const isRunning = ({ pid = 0 }: ChildProcess) => processStart(pid) !== undefined;

  it("is found by what the backend says of its lock", () => {
    const message = `the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.
  file:///state/.pulumi/locks/a.json: created by root@one (pid 42) at 2026-11-24T09:30:15Z
  file:///state/.pulumi/locks/b.json: created by jo@two (pid 43) at 2026-11-24T10:30:15+01:00`;
    const since = Date.UTC(2026, 10, 24, 9, 30, 15);
    assert.deepEqual(lockHolders(message), [
      { host: "one", pid: 42, since },
      { host: "two", pid: 43, since },
    ]);
    assert.deepEqual(lockHolders("[409] Conflict: Another update is currently in progress."), []);
  });

  it("is asked to cancel when it does not end by itself", async () => {
    const { child, holder } = await engine(hearing);
    const exited = once(child, "exit");
    await end(holder);
    assert.deepEqual(await exited, [null, "SIGINT"]);
  });

  it("is killed when it does not hear", async () => {
    const { child, holder } = await engine(deaf);
    const exited = once(child, "exit");
    await end(holder);
    assert.deepEqual(await exited, [null, "SIGKILL"]);
  });

  it("is killed when it was stopped together with its driver", async () => {
    const { child, holder } = await engine(hearing);
    const exited = once(child, "exit");
    child.kill("SIGSTOP");
    await end(holder);
    assert.deepEqual(await exited, [null, "SIGKILL"]);
  });

  it("is left alone by who has lost the lease too", async () => {
    const { child, holder } = await engine(hearing);
    const lost = new Error("lost");
    await assert.rejects(
      end(holder, () => {
        throw lost;
      }),
      lost,
    );
    assert.ok(isRunning(child));
  });

  it("is not confused with a process that has its number now", async () => {
    const { child, holder } = await engine(hearing);
    await end({ ...holder, since: holder.since - 60_000 });
    await end({ ...holder, host: "elsewhere" });
    const other = await engine(hearing, driven, "node");
    await end(other.holder);
    assert.ok(isRunning(child) && isRunning(other.child));
  });

  it("is not confused with an engine that a person works with: that one is waited for", async () => {
    const byHand = await engine(hearing, ["--stack", "production"]);
    const elsewhere = await engine(hearing, ["--exec-kind", "auto.inline", "--stack", "staging"]);
    for (const { child, holder } of [byHand, elsewhere]) {
      await assert.rejects(end(holder), { code: "engine-busy", exitCode: 5 });
      assert.ok(isRunning(child));
    }
  });

  describe("before there is a lease", () => {
    const endWithoutLease = (holder: Parameters<typeof endDeadEngine>[0]) => end(holder, () => {}, false);

    it("is ended when its driver is seen to be dead", async () => {
      const driver = createServer().listen(0, "127.0.0.1");
      await once(driver, "listening");
      const { port } = driver.address() as AddressInfo;
      const { child, holder } = await engine(hearing, [...driven, `--client=127.0.0.1:${port}`]);
      await assert.rejects(endWithoutLease(holder), { code: "engine-busy", exitCode: 5 });
      assert.ok(isRunning(child));
      driver.close();
      await once(driver, "close");
      const exited = once(child, "exit");
      await endWithoutLease(holder);
      assert.deepEqual(await exited, [null, "SIGINT"]);
    });

    it("is left to a person when it is another machine's", async () => {
      const { holder } = await engine(hearing);
      await assert.rejects(endWithoutLease({ ...holder, host: "elsewhere" }), {
        code: "engine-busy",
        message: /elsewhere.*pulumi cancel --stack production/,
      });
    });
  });
});
