import type { Command } from "./command.ts";
import { type DriveArguments, drive, driveOptions } from "./drive.ts";

export const upgradeCommand: Command<DriveArguments> = {
  command: "upgrade",
  describe: "go to the goal in handover:live, or deploy an empty stack",
  examples: [
    ["upgrade --stack production", "go to the goal, phase by phase; the same again goes on with what was begun"],
    [
      "upgrade --stack production --pause-before move-addresses",
      "stop before the Elastic IPs move, until a person approves",
    ],
    [
      "upgrade --stack production --refresh --wait 10m",
      "tell what was changed beside the runs; wait for another run to end",
    ],
  ],
  builder: driveOptions,
  run: (args) => drive("upgrade", args, { create: true }),
};
