import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { parseConfig } from "../../stacks/config.ts";
import { packagePath, projectDirectory } from "../../stacks/project.ts";
import { handoverValues } from "../engine/stack-file.ts";
import { exitCodes, HandoverError, messageOf } from "../errors.ts";
import { declaration } from "./declaration.ts";
import { type Asked, type Facts, refusal } from "./facts.ts";
import { type Imported, importFile } from "./import-file.ts";
import { objections } from "./objections.ts";
import { readSite } from "./read.ts";
import { remarks } from "./remarks.ts";
import { frontendsOf } from "./servers.ts";
import { userDataOf } from "./user-data.ts";

export interface Description {
  /** The text of each file, by its name in the project's folder. */
  readonly files: Readonly<Record<string, string>>;
  readonly frontends: readonly string[];
  readonly elasticIps: number;
  readonly resources: readonly Imported[];
  readonly remarks: readonly string[];
  /** Commands to type next. */
  readonly next: readonly string[];
}

/**
 * Writes the configuration and the import file of a site that was made by hand. It only reads AWS.
 * @throws HandoverError or ConfigError (exit 1); nothing was written
 */
export async function adopt(asked: Asked, { force }: { readonly force: boolean }): Promise<Description> {
  if (!/^[A-Za-z0-9_.-]+$/.test(asked.stack))
    throw refusal(["--stack: a stack's name has letters, digits, -, _ and ."]);
  const names = namesOf(asked.stack);
  const existing = Object.values(names).filter((name) => existsSync(join(projectDirectory, name)));
  if (existing.length > 0 && !force)
    throw refusal([`${existing.join(" and ")} would be overwritten. Choose another --stack, or give --force.`]);
  const description = describe(asked, await factsOf(asked));
  for (const [name, text] of Object.entries(description.files))
    writeFileSync(join(projectDirectory, name), text, { mode: name === names.userData ? 0o600 : 0o644 });
  return description;
}

/**
 * What AWS describes. What stands against the site is read again, since each answer may be of a moment ago.
 * https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
 */
async function factsOf(asked: Asked): Promise<Facts> {
  for (let left = 3; ; left--) {
    const facts = await readSite(asked).catch(unanswered);
    if (left === 0 || objections(facts).length === 0) return facts;
    await sleep(2000);
  }
}

/** Nothing was begun, so what AWS says is the operator's to mend: credentials, permissions, the network. */
function unanswered(cause: unknown): never {
  if (cause instanceof HandoverError) throw cause;
  const name = cause instanceof Error ? cause.name : "Error";
  throw new HandoverError(
    "aws-failed",
    exitCodes.usage,
    `AWS could not be asked: ${name}: ${messageOf(cause)}. Mend credentials, permissions (${packagePath("docs/iam-policy.json")}) or the network.\nNothing was written.`,
    { cause },
  );
}

/** The files for a site, as data. @throws HandoverError or ConfigError (exit 1) when it cannot be described */
export function describe(asked: Asked, facts: Facts): Description {
  const problems = objections(facts);
  if (problems.length > 0) throw refusal(problems);
  const names = namesOf(asked.stack);
  const { text: userData, remarks: aboutUserData } = userDataOf(facts);
  parseConfig(handoverValues(declaration(asked, facts)), projectDirectory);
  const config = declaration(asked, facts, userData && names.userData);
  const imports = importFile(facts, asked.generation);
  return {
    files: {
      [names.stack]: stackFile(config, facts),
      [names.imports]: `${JSON.stringify(imports, null, 2)}\n`,
      ...(userData !== undefined && { [names.userData]: userData }),
    },
    frontends: frontendsOf(facts).map(({ InstanceId = "" }) => InstanceId),
    elasticIps: facts.addresses.length,
    resources: imports.resources,
    remarks: [...remarks(facts), ...aboutUserData],
    next: [
      `pulumi stack init ${asked.stack}`,
      `pulumi import --stack ${asked.stack} --file ${names.imports} --generate-code=false --protect=false`,
      `pulumi up --stack ${asked.stack}`,
      `pulumi preview --stack ${asked.stack} --expect-no-changes`,
    ],
  };
}

function namesOf(stack: string) {
  return {
    stack: `Pulumi.${stack}.yaml`,
    imports: `Pulumi.${stack}.import.json`,
    userData: `frontends/${stack}-user-data`,
  };
}

function stackFile(config: Readonly<Record<string, unknown>>, { loadBalancer }: Facts): string {
  const header = [
    `# yaml-language-server: $schema=${packagePath("docs/schemas/config.json")}`,
    `# The site behind the load balancer ${loadBalancer.LoadBalancerName}, as \`handover adopt\` found it.`,
    `# The keys are explained in ${packagePath("Pulumi.staging.yaml")}.`,
  ];
  return `${header.join("\n")}\n${stringify({ config }, { collectionStyle: "block", lineWidth: 0 })}`;
}
