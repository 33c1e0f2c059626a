import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDirectory } from "../../stacks/project.ts";

/** Names of AWS's calls that only look. */
const looks = /^(Describe|Get|List|Query|Scan|BatchGet|TransactGet|Filter)/;

function read(file: string): string {
  return readFileSync(join(projectDirectory, file), "utf8");
}

function sources(...patterns: string[]): string[] {
  const found = globSync(patterns, { cwd: projectDirectory });
  assert.ok(found.length > 0, patterns.join());
  return found.sort();
}

/** The calls to AWS that a file imports and that change something there. */
function changes(file: string): string[] {
  return [...read(file).matchAll(/import \{([^}]*)\} from "@aws-sdk\/client-[\w-]+"/g)].flatMap(([, names = ""]) =>
    names
      .split(",")
      .map((name) => /^\s*([A-Z]\w*)Command\b/.exec(name)?.[1])
      .filter((call) => call !== undefined)
      .filter((call) => !looks.test(call)),
  );
}

/** What the import linter does not see; `make check` runs it too. */
describe("The source", () => {
  it("has at most three files at the root of the driver", () => {
    const root = sources("automation/*.ts");
    assert.ok(root.length <= 3, root.join());
  });

  it("sets the exit code in automation/cli/main.ts only", () => {
    const files = sources("index.ts", "stacks/**/*.ts", "automation/**/*.ts");
    assert.deepEqual(
      files.filter((file) => /\bprocess\.(exit|exitCode|abort|reallyExit)\b|\bexit\b.*"node:process"/.test(read(file))),
      ["automation/cli/main.ts"],
    );
  });

  it("changes AWS, beside the engine, in the files that are named here", () => {
    const files = sources("automation/**/*.ts").filter((file) => !file.startsWith("automation/ledger/"));
    assert.deepEqual(
      Object.fromEntries(files.map((file) => [file, changes(file)]).filter(([, calls]) => calls?.length !== 0)),
      {
        // An address moves when its server has answered what is in flight; the engine would take seconds to begin.
        "automation/cloud/address-moves.ts": ["AssociateAddress"],
        // Scheduled actions that a run has suspended are made up for.
        "automation/cloud/arrays.ts": ["UpdateAutoScalingGroup"],
        // A session of a role that the file names.
        "automation/cloud/assumed-roles.ts": ["AssumeRole", "AssumeRoleWithWebIdentity"],
        // A dry run of the launch.
        "automation/cloud/launches.ts": ["RunInstances"],
        "automation/cloud/prune.ts": ["DeleteSnapshot", "DeleteDBSnapshot"],
        // A site's own documents as smoke checks, and the script of quiet moves.
        "automation/cloud/systems-manager.ts": ["CancelCommand", "SendCommand"],
        // A volume stays when its server ends.
        "automation/cloud/volumes.ts": ["ModifyInstanceAttribute"],
        // Dry runs: AWS says whether they are allowed.
        "automation/doctor/permissions.ts": [
          "AllocateAddress",
          "AssociateAddress",
          "CreateLaunchTemplate",
          "CreateSnapshot",
          "CreateTags",
          "RunInstances",
        ],
      },
    );
  });
});
