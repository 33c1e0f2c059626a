import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { documents } from "../../../automation/documents/documents.ts";
import type { RunEvent } from "../../../automation/documents/events.ts";
import { manualFile, manualText } from "../../../automation/documents/manual.ts";
import { schemaDirectory, schemaFiles } from "../../../automation/documents/schemas.ts";
import { projectDirectory } from "../../../stacks/project.ts";
import { problems } from "./validate.ts";

const result = {
  outcome: "paused",
  run: "20261124-093015-5f3a",
  from: "blue",
  to: "green",
  live: "blue",
  seconds: 12.5,
  phases: [{ name: "backup", seconds: 3, operations: 1, overheadSeconds: 1, ledgerSeconds: 0.02 }],
  exitCode: 3,
  message: "move-addresses waits for approval.",
  digest: "3f9a",
} as const;

/** One of each type: the compiler sees to it. */
const events: { readonly [Type in RunEvent["type"]]: Extract<RunEvent, { type: Type }> } = {
  "run-started": { type: "run-started", run: "r", from: "blue", to: "green", resumed: false },
  "phase-started": { type: "phase-started", phase: "backup", does: "takes a snapshot of the database" },
  plan: {
    type: "plan",
    phase: "connect",
    step: 1,
    digest: "3f9a",
    operations: [{ op: "update", type: "aws:lb/listener:Listener", name: "http", properties: ["defaultActions"] }],
  },
  applied: {
    type: "applied",
    phase: "withdraw",
    seconds: 2,
    operations: [{ op: "update", type: "aws:lb/listener:Listener", name: "http" }],
  },
  output: { type: "output", phase: "migrate", line: "2 tables" },
  gate: { type: "gate", phase: "settle", gate: "gone", verdict: "pass", evidence: { left: [], at: null }, seconds: 0 },
  waiting: { type: "waiting", phase: "drain", gate: "drained", evidence: { left: 2 }, seconds: 5, leftSeconds: 600 },
  "phase-finished": {
    type: "phase-finished",
    name: "backup",
    seconds: 3,
    operations: 1,
    overheadSeconds: 1,
    ledgerSeconds: 0.02,
  },
  warning: { type: "warning", message: "fewer servers" },
  failed: { type: "failed", phase: "connect", message: "smoke" },
  "rollback-started": { type: "rollback-started", phase: "connect", reason: "smoke" },
  "run-finished": { type: "run-finished", ...result },
};

describe("JSON documents", () => {
  it("have their schemas in docs/schemas; `npm run schemas` writes them again", () => {
    const stored = readdirSync(schemaDirectory).map((file) => [
      file,
      readFileSync(join(schemaDirectory, file), "utf8"),
    ]);
    assert.deepEqual(Object.fromEntries(stored), schemaFiles());
  });

  it("have what stops a command in docs/operating.md; `npm run schemas` writes that again", () => {
    assert.equal(readFileSync(manualFile, "utf8"), manualText());
  });

  for (const [type, event] of Object.entries(events)) {
    it(`describe the event ${type} wholly`, () => {
      const line = { version: 1, ...event };
      assert.equal(problems("event", line), "");
      assert.deepEqual(documents.event.parse(line), line);
    });
  }

  it("refuse what they do not describe", () => {
    assert.notEqual(problems("event", { version: 1, type: "phase-started", phase: "lunch", does: "" }), "");
    assert.notEqual(problems("event", { ...events.warning, version: 2 }), "");
    assert.notEqual(problems("error", { version: 1, error: { message: "without a code" } }), "");
  });
});

describe("the configuration's schema", () => {
  const staging = () => parse(readFileSync(join(projectDirectory, "Pulumi.staging.yaml"), "utf8"));

  for (const stack of ["staging", "production"]) {
    it(`accepts Pulumi.${stack}.yaml, which names it for editors`, () => {
      const text = readFileSync(join(projectDirectory, `Pulumi.${stack}.yaml`), "utf8");
      assert.equal(problems("config", parse(text)), "");
      assert.match(text, /^# yaml-language-server: \$schema=docs\/schemas\/config\.json\n/);
    });
  }

  it("refuses a key that is not known, at the top and below", () => {
    const top = staging();
    top.config["handover:sites"] = {};
    assert.notEqual(problems("config", top), "");
    const below = staging();
    below.config["handover:site"].colour = "red";
    assert.notEqual(problems("config", below), "");
  });
});
