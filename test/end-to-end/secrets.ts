import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { projectDirectory } from "../../stacks/project.ts";
import { type editStack, run } from "./command-line.ts";
import type { Site } from "./site.ts";

/** A secret input and a secret of the environment that are found only where somebody wrote them down. */
const input = `kuckuck-input-${process.pid}-2718281828`;
const token = `kuckuck-token-${process.pid}-3141592653`;
const markers = [input, token].flatMap((secret) => [secret, ...inBase64(secret)]);

/** What a text looks like somewhere inside of a longer one that is written in base64. */
function inBase64(text: string): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.from(" ".repeat(shift) + text).toString("base64");
    return encoded.slice(Math.ceil((shift * 8) / 6)).replace(/.=+$/, "");
  });
}

/** Plants secrets, and looks for them wherever a run may have left them. */
export class Secrets {
  /** What was among the temporary files before. */
  readonly #known: ReadonlySet<string> = new Set(readdirSync(tmpdir()));
  readonly #leaks = new Set<string>();
  #watching: NodeJS.Timeout | undefined;
  /** Migrations that print their secrets. */
  readonly edit: Parameters<typeof editStack>[1] = (config) => {
    const print = "console.log('printed', process.env.TOKEN, process.env.PULUMI_ACCESS_TOKEN)";
    config["handover:upgrade"].migrate.command = [process.execPath, "-e", print];
  };

  /** Gives the next generation a secret input, as a person does, and this process's children one in their environment. */
  async plant({ name, env }: Site): Promise<void> {
    const path = "handover:generations.green.inputs.TOKEN";
    const { exitCode, stderr } = await run(
      "pulumi",
      ["config", "set", "--secret", "--path", path, input, "--stack", name],
      env,
    );
    assert.equal(exitCode, 0, stderr);
    process.env.PULUMI_ACCESS_TOKEN = token;
  }

  forget(): void {
    this.unwatch();
    delete process.env.PULUMI_ACCESS_TOKEN;
  }

  readonly isLeak = (text: string): boolean => markers.some((marker) => text.includes(marker));

  /** Looks at all processes' command lines and at new temporary files from now on. */
  watch(): void {
    this.#watching = setInterval(() => {
      for (const commandLine of commandLines()) this.seen(commandLine, commandLine);
      for (const file of this.#newFiles()) this.seen(file, contentOf(file));
    }, 200);
  }

  unwatch(): void {
    clearInterval(this.#watching);
  }

  /** Where secrets were seen. */
  get leaks(): readonly string[] {
    return [...this.#leaks];
  }

  seen(place: string, text: string): void {
    if (this.isLeak(text)) this.#leaks.add(place);
  }

  /** Everything in the stack's ledger. */
  async ledgerOf({ name, settings }: Site): Promise<readonly string[]> {
    const client = new DynamoDBClient(settings);
    const { Items = [] } = await client.send(new ScanCommand({ TableName: `handover-${name}` }));
    client.destroy();
    return Items.map((item) => JSON.stringify(item));
  }

  /** Files with secrets among what was left: temporary ones, the sandbox's, the stack's. */
  filesWithLeaks({ name }: Site): readonly string[] {
    const project = [join(projectDirectory, ".sandbox", name), join(projectDirectory, `Pulumi.${name}.yaml`)];
    return [...this.#newFiles(), ...project.flatMap(filesIn)].filter((file) => this.isLeak(contentOf(file)));
  }

  /** Files of whatever appeared among the temporary ones since. */
  #newFiles(): string[] {
    return readdirSync(tmpdir())
      .filter((name) => !this.#known.has(name) && /^(handover|pulumi)/.test(name))
      .flatMap((name) => filesIn(join(tmpdir(), name)));
  }
}

function commandLines(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => contentOf(`/proc/${pid}/cmdline`).replaceAll("\0", " "));
}

function filesIn(path: string): string[] {
  try {
    if (!existsSync(path)) return [];
    return statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => filesIn(join(path, name))) : [path];
  } catch {
    return []; // It has gone.
  }
}

/** Empty when it is not there any more. */
function contentOf(file: string): string {
  try {
    return statSync(file).isFile() ? readFileSync(file, "utf8") : "";
  } catch {
    return "";
  }
}
