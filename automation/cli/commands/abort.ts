import type { Command } from "./command.ts";
import { type DriveArguments, drive, driveOptions } from "./drive.ts";

export const abortCommand: Command<DriveArguments> = {
  command: "abort",
  task: "when a run stops",
  describe: "give up a run that has launched nothing yet; the site stays as it is",
  examples: [["abort --stack production", "give up a run that has not launched a server yet"]],
  builder: driveOptions,
  run: (args) => drive("abort", args),
};
