import type { Command } from "./command.ts";
import { askFirst, type DriveArguments, drive, driveOptions } from "./drive.ts";

export const upgradeCommand: Command<DriveArguments> = {
  command: "upgrade",
  task: "upgrade",
  describe: "go to the goal in handover:live; an empty stack is deployed",
  examples: [
    ["upgrade --stack production", "go to the goal, phase by phase; run it again to continue"],
    [
      "upgrade --stack production --pause-before move-addresses",
      "stop before the Elastic IPs move, until a person approves",
    ],
    [
      "upgrade --stack production --refresh --wait 10m",
      "list what was changed outside Handover's runs; wait up to 10 minutes for another run",
    ],
  ],
  builder: driveOptions,
  async run(args) {
    await askFirst(args);
    return drive("upgrade", args, { create: true });
  },
};
