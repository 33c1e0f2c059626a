import { resume } from "../driver.ts";
import type { Command } from "./command.ts";
import { type DriveArguments, drive, driveOptions } from "./drive.ts";

export const resumeCommand: Command<DriveArguments> = {
  command: "resume",
  describe: "go on with a run that was interrupted, paused or killed",
  builder: driveOptions,
  run: (args) => drive("resume", args, resume),
};
