import type { Command } from "./command.ts";
import { type DriveArguments, drive, driveOptions } from "./drive.ts";

export const resumeCommand: Command<DriveArguments> = {
  command: "resume",
  describe: "go on with a run that was interrupted, paused or killed",
  examples: [
    ["resume --stack production", "go on where the run stopped"],
    ["resume --stack production --take-over", "at once, when the driver before died on this machine"],
  ],
  builder: driveOptions,
  run: (args) => drive("resume", args),
};
