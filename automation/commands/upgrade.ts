import { upgrade } from "../driver.ts";
import type { Command } from "./command.ts";
import { type DriveArguments, drive, driveOptions } from "./drive.ts";

export const upgradeCommand: Command<DriveArguments> = {
  command: "upgrade",
  describe: "go to the goal in handover:live, or deploy an empty stack",
  builder: driveOptions,
  run: (args) => drive("upgrade", args, upgrade, true),
};
