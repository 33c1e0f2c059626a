import { abortCommand } from "./abort.ts";
import { adoptCommand } from "./adopt.ts";
import { approveCommand } from "./approve.ts";
import type { Command } from "./command.ts";
import { doctorCommand } from "./doctor.ts";
import { driftCommand } from "./drift.ts";
import { historyCommand } from "./history.ts";
import { initCommand } from "./init.ts";
import { inputsCommand } from "./inputs.ts";
import { planCommand } from "./plan.ts";
import { rehearseCommand } from "./rehearse.ts";
import { reportCommand } from "./report.ts";
import { resumeCommand } from "./resume.ts";
import { rollbackCommand } from "./rollback.ts";
import { sandboxCommand } from "./sandbox.ts";
import { snapshotsCommand } from "./snapshots.ts";
import { statusCommand } from "./status.ts";
import { upgradeCommand } from "./upgrade.ts";

// biome-ignore lint/suspicious/noExplicitAny: each command has arguments of its own
export const commands: readonly Command<any>[] = [
  rehearseCommand,
  initCommand,
  doctorCommand,
  adoptCommand,
  inputsCommand,
  planCommand,
  upgradeCommand,
  statusCommand,
  driftCommand,
  approveCommand,
  resumeCommand,
  rollbackCommand,
  abortCommand,
  historyCommand,
  reportCommand,
  snapshotsCommand,
  sandboxCommand,
];
