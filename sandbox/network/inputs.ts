import { parse } from "yaml";

/** The inputs of a generation, as its servers read them at boot. */
export type Inputs = Readonly<Record<string, string>>;

const archiveHeader = "#cloud-config-archive";
const configHeader = "#cloud-config";
const inputsFile = "/inputs.env";

/**
 * The inputs that a server finds in its user data: the file `…/inputs.env` that a `#cloud-config` part writes, on its
 * own or inside a `#cloud-config-archive`; a later part wins, as in cloud-init.
 * @throws if the user data is not cloud-config, does not parse, or writes no such file.
 * @see https://cloudinit.readthedocs.io/en/latest/explanation/format.html
 */
export function readInputs(userData: string): Inputs {
  const content = configParts(userData).flatMap(writtenInputs).at(-1);
  if (content === undefined) throw new Error(`the user data writes no file that ends in ${inputsFile}`);
  return parseEnvironment(content);
}

function configParts(userData: string): string[] {
  const firstLine = userData.split("\n", 1)[0]?.trim();
  if (firstLine === configHeader) return [userData];
  if (firstLine !== archiveHeader) throw new Error(`the user data does not begin with ${archiveHeader}`);
  const parts: unknown = parse(userData);
  if (!Array.isArray(parts)) throw new Error("the user data's archive is not a list of parts");
  return parts
    .map((part: unknown) => (typeof part === "string" ? part : field(part, "content")))
    .filter((part): part is string => typeof part === "string" && part.trimStart().startsWith(configHeader));
}

function writtenInputs(config: string): string[] {
  const files = field(parse(config), "write_files");
  if (!Array.isArray(files)) return [];
  return files.flatMap((file: unknown) => {
    const path = field(file, "path");
    const content = field(file, "content");
    if (typeof path !== "string" || !path.endsWith(inputsFile) || typeof content !== "string") return [];
    const encoded = ["b64", "base64"].includes(String(field(file, "encoding")));
    return [encoded ? Buffer.from(content, "base64").toString() : content];
  });
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

const assignment = /^[ \t]*([A-Za-z_][A-Za-z0-9_]*)=((?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\n"'\\])*)$/gms;
const valuePart = /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)|([^"'\\]+)/gs;

/**
 * KEY=VALUE lines as systemd reads an EnvironmentFile: double quotes keep blanks and take backslash escapes, single
 * quotes keep everything, a backslash outside quotes escapes one character.
 * @see https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#EnvironmentFile=
 */
export function parseEnvironment(text: string): Inputs {
  const inputs: Record<string, string> = {};
  for (const [, name = "", value = ""] of text.matchAll(assignment)) inputs[name] = unquote(value.trim());
  return inputs;
}

function unquote(value: string): string {
  return value.replace(valuePart, (_, double?: string, single?: string, escaped?: string, plain?: string) => {
    if (double !== undefined)
      return double.replace(/\\(["\\`$\n])/g, (_match, char: string) => (char === "\n" ? "" : char));
    if (escaped !== undefined) return escaped === "\n" ? "" : escaped;
    return single ?? plain ?? "";
  });
}
