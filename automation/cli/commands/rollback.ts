import type { Command } from "./command.ts";
import { type DriveArguments, drive, driveOptions } from "./drive.ts";

export const rollbackCommand: Command<DriveArguments> = {
  command: "rollback",
  task: "when a run stops",
  describe: "go back: traffic and addresses first, then remove the new generation",
  examples: [
    ["rollback --stack production", "back to the generation that the run came from"],
    ["rollback --stack production --accept-schema", "even if migrations that are not reversible have run"],
  ],
  builder: driveOptions,
  run: (args) => drive("rollback", args),
};
