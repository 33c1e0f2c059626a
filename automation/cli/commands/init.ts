import { exitCodes } from "../../errors.ts";
import { type Command, print, printJson } from "./command.ts";

interface Arguments {
  readonly name?: string;
  readonly stack: string;
  readonly force: boolean;
}

export const initCommand: Command<Arguments> = {
  command: "init",
  task: "begin",
  describe: "make a project of your own in this folder: program, a stack's file, workflows for GitHub and GitLab",
  examples: [
    ["init", "in an empty folder, after `npm install …/handover-0.1.0.tgz`"],
    ["init --name shop --stack staging", "with names of your own for the project and its first stack"],
  ],
  builder: {
    name: { type: "string", requiresArg: true, describe: "name of the Pulumi project (default: the folder's)" },
    stack: {
      alias: "s",
      type: "string",
      default: "production",
      requiresArg: true,
      describe: "name of its first stack",
    },
    force: { type: "boolean", default: false, describe: "leave other files in the folder be; none is overwritten" },
  },
  async run({ json, name, stack, force }) {
    const [{ init }, { dependencyOf }, { default: manifest }] = await Promise.all([
      import("../../init/init.ts"),
      import("../../init/dependency.ts"),
      import("../../../package.json", { with: { type: "json" } }),
    ]);
    const directory = process.cwd();
    const dependency = dependencyOf(directory, manifest.version);
    const project = await init({ directory, name, stack, force, dependency });
    if (json)
      printJson("init", {
        ...project,
        files: [...project.files],
        remarks: [...project.remarks],
        next: [...project.next],
      });
    else
      print([
        `project ${project.name}, with the stack ${project.stack}`,
        ...project.files.map((file) => `wrote ${file}`),
        ...project.remarks.map((remark) => `note: ${remark}`),
        `Next, with your site's values in Pulumi.${project.stack}.yaml:`,
        ...project.next.map((command) => `  ${command}`),
      ]);
    return exitCodes.reached;
  },
};
