import assert from "node:assert/strict";
import type { Document, Invocation } from "../../../automation/cloud/systems-manager.ts";
import { commandPasses } from "../../../automation/gates/command.ts";
import { documentSucceeds } from "../../../automation/gates/document.ts";
import type { Gate } from "../../../automation/gates/gate.ts";
import { once } from "../../../automation/gates/once.ts";
import { environmentOf } from "../../../automation/runbook/suites.ts";
import type { Outputs } from "../../../stacks/outputs.ts";

const signal = new AbortController().signal;
const redact = (text: string) => text.replaceAll("s3cret", "[secret]");
const node = (script: string, timeoutSeconds = 30) =>
  commandPasses(
    { command: [process.execPath, "-e", script], timeoutSeconds },
    { environment: async () => ({ HANDOVER_GENERATION: "green" }), redact },
  );

describe("a smoke command", () => {
  it("passes with exit code 0, and is told what to look at", async () => {
    const gate = node("process.exit(process.env.HANDOVER_GENERATION === 'green' ? 0 : 1)");
    assert.deepEqual(await gate.observe(signal), { verdict: "pass", evidence: { exitCode: 0, output: "" } });
  });

  it("fails with any other, and tells what it printed, without secrets", async () => {
    const { verdict, evidence } = await node(
      "console.log('out s3cret'); console.error('err'); process.exit(3)",
    ).observe(signal);
    assert.equal(verdict, "fail");
    assert.deepEqual(evidence, { exitCode: 3, output: "out [secret]\nerr" });
  });

  it("keeps the end of what a command prints that prints much", async () => {
    const { evidence } = await node("process.stdout.write('x'.repeat(20_000_000) + 'end')").observe(signal);
    const { output } = evidence as { output: string };
    assert.ok(output.length <= 2_000 && output.endsWith("xend"), String(output.length));
  });

  it("fails when it does not end in time, with all that it started", async () => {
    const script = `require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });
      setInterval(() => {}, 1000)`;
    const { verdict, evidence } = await node(script, 1).observe(signal);
    assert.deepEqual([verdict, evidence], ["fail", { exitCode: null, reason: "did not end within 1 s", output: "" }]);
  });

  it("fails when there is no such program", async () => {
    const gate = commandPasses(
      { command: ["./no-such-suite"], timeoutSeconds: 5 },
      { environment: async () => ({}), redact },
    );
    const { verdict, evidence } = await gate.observe(signal);
    assert.equal(verdict, "fail");
    assert.match(JSON.stringify(evidence), /ENOENT/);
  });

  it("is stopped by the signal", async () => {
    const stop = new AbortController();
    const observed = node("setInterval(() => {}, 1000)").observe(stop.signal);
    stop.abort(new Error("stop"));
    await assert.rejects(observed, /stop/);
  });

  it("does not run before the servers are ready", async () => {
    const starting: Gate = { name: "healthy", observe: async () => ({ verdict: "pending", evidence: "initial" }) };
    const never: Gate = { name: "suite", observe: () => Promise.reject(new Error("ran")) };
    assert.deepEqual(await once(starting, never).observe(signal), {
      verdict: "pending",
      evidence: { waitsFor: "healthy", evidence: "initial" },
    });
  });

  it("gets the URLs of the load balancer, of each new server, and of the addresses that they hold", () => {
    const frontends = [
      { name: "green-1", instanceId: "i-1", privateIp: "10.0.0.5" },
      { name: "green-2", instanceId: "i-2", privateIp: "10.0.0.6" },
    ];
    const outputs = {
      loadBalancer: { arn: "a", dnsName: "lb.example.com", port: 443, protocol: "https" },
      addresses: [
        { publicIp: "198.51.100.1", allocationId: "e-1", instanceId: "i-1" },
        { publicIp: "198.51.100.2", allocationId: "e-2", instanceId: "i-9" },
      ],
      generations: { green: { targetGroupArn: "t", port: 8080, weight: 0, registered: true, frontends } },
    } as unknown as Outputs;
    assert.deepEqual(
      environmentOf("move-addresses", outputs, "green", { host: "www.example.com", servers: frontends }),
      {
        HANDOVER_PHASE: "move-addresses",
        HANDOVER_GENERATION: "green",
        HANDOVER_HOST: "www.example.com",
        HANDOVER_URL: "https://lb.example.com:443",
        HANDOVER_SERVER_URLS: "http://10.0.0.5:8080 http://10.0.0.6:8080",
        HANDOVER_ADDRESS_URLS: "http://198.51.100.1:8080",
      },
    );
  });
});

describe("a smoke document", () => {
  const frontends = ["green-1", "green-2"].map((name) => ({ name, instanceId: `i-${name}`, privateIp: "10.0.0.5" }));
  const check = { ssm: { document: "AWS-RunShellScript", parameters: { commands: ["true"] } }, timeoutSeconds: 60 };
  const gate = (run: (document: Document) => Promise<ReadonlyMap<string, Invocation>>) =>
    documentSucceeds({ run }, check, async () => frontends, redact);
  const success = { status: "Success", exitCode: 0, output: "" };

  it("passes when it succeeds on every server", async () => {
    let ran: Document | undefined;
    const all = gate(async (document) => {
      ran = document;
      return new Map(frontends.map(({ instanceId }) => [instanceId, success]));
    });
    assert.equal((await all.observe(signal)).verdict, "pass");
    assert.deepEqual(ran, { name: "AWS-RunShellScript", parameters: { commands: ["true"] }, timeoutSeconds: 60 });
  });

  it("fails when it does not on one, with that one's exit code and output", async () => {
    const failed = { status: "Failed", exitCode: 4, output: "no s3cret\n" };
    const ends = new Map([
      ["i-green-1", success],
      ["i-green-2", failed],
    ]);
    const { verdict, evidence } = await gate(async () => ends).observe(signal);
    assert.equal(verdict, "fail");
    assert.deepEqual(evidence, { missed: [{ name: "green-2", status: "Failed", exitCode: 4, output: "no [secret]" }] });
  });

  it("waits for a server whose agent has not registered yet", async () => {
    const error = Object.assign(new Error("not in a valid state"), { name: "InvalidInstanceId" });
    assert.equal((await gate(() => Promise.reject(error)).observe(signal)).verdict, "pending");
  });

  it("says nothing when Systems Manager cannot be asked", async () => {
    await assert.rejects(gate(() => Promise.reject(new Error("no route"))).observe(signal), /no route/);
  });
});
