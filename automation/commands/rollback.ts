import { rollback } from "../driver.ts";
import type { Command } from "./command.ts";
import { type DriveArguments, drive, driveOptions } from "./drive.ts";

export const rollbackCommand: Command<DriveArguments> = {
  command: "rollback",
  describe: "go back: traffic and addresses first, then remove the new generation",
  builder: driveOptions,
  run: (args) => drive("rollback", args, rollback),
};
