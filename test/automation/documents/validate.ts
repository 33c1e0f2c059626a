import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { DocumentName } from "../../../automation/documents/documents.ts";
import { schemaDirectory } from "../../../automation/documents/schemas.ts";

const ajv = new Ajv2020({ allErrors: true, validateFormats: false, strict: false });

/** What is wrong with a value by a schema of docs/schemas, in words; empty when nothing is. */
export function problems(name: DocumentName | "config", value: unknown): string {
  const validate = ajv.getSchema(name) ?? ajv.addSchema(read(name), name).getSchema(name);
  assert.ok(validate !== undefined);
  return validate(value) === true ? "" : ajv.errorsText(validate.errors, { dataVar: name });
}

/** The shapes that a command prints with `--json`; any command may print an error instead. */
const shapes: Readonly<Record<string, readonly DocumentName[]>> = {
  adopt: ["adopt"],
  upgrade: ["event"],
  resume: ["event"],
  rollback: ["event"],
  abort: ["event"],
  status: ["status"],
  approve: ["approval"],
  plan: ["plan"],
  history: ["verification", "history", "run-history"],
  report: ["report"],
  snapshots: ["snapshots", "prune"],
  doctor: ["doctor"],
  drift: ["drift"],
  init: ["init"],
  rehearse: ["rehearsal"],
  "sandbox up": ["sandbox-up"],
  "sandbox env": ["sandbox-env"],
  "sandbox status": ["sandbox-status"],
  "sandbox fault": ["sandbox-fault"],
  "sandbox down": ["sandbox-down"],
  completion: ["completion"],
};

/** Checks each line that a command printed with `--json` against the schemas of docs/schemas. */
export function assertDocuments(args: readonly string[], stdout: string): void {
  const command = args[0] === "sandbox" ? args.slice(0, 2).join(" ") : (args[0] ?? "");
  const names = namesOf(args, command);
  for (const line of stdout.split("\n").filter((text) => text !== "")) {
    const value: unknown = JSON.parse(line);
    const wrong = names.map((name) => problems(name, value));
    assert.ok(wrong.includes(""), `handover ${args.join(" ")} printed ${line}\n${wrong.join("\n")}`);
  }
}

function namesOf(args: readonly string[], command: string): readonly DocumentName[] {
  if (args.includes("--version")) return ["release"];
  return args.includes("--help") ? ["help"] : ["error", ...(shapes[command] ?? [])];
}

function read(name: string): object {
  return JSON.parse(readFileSync(join(schemaDirectory, `${name}.json`), "utf8"));
}
