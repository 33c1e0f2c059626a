import type { Command } from "./command.ts";
import { type DriveArguments, drive, driveOptions } from "./drive.ts";

export const resumeCommand: Command<DriveArguments> = {
  command: "resume",
  task: "when a run stops",
  describe: "continue a run that was interrupted, paused or killed",
  examples: [
    ["resume --stack production", "continue where the run stopped"],
    [
      "resume --stack production --take-over",
      "without waiting for the lease, if the previous driver died on this machine",
    ],
  ],
  builder: driveOptions,
  run: (args) => drive("resume", args),
};
