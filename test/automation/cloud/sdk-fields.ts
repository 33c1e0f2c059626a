import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDirectory } from "../../../stacks/project.ts";

/** The fields of a structure that AWS's SDK declares, by its type declarations. */
export function sdkFields(client: string, structure: string): string[] {
  const folder = join(projectDirectory, "node_modules", "@aws-sdk", client, "dist-types", "models");
  const text = readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .find((each) => each.includes(`\nexport interface ${structure} {`));
  const body = text?.split(`\nexport interface ${structure} {`)[1]?.split("\n}")[0] ?? "";
  const fields = [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, name = ""]) => name);
  if (fields.length < 2) throw new Error(`${client} declares no ${structure}.`);
  return fields;
}
