import type { RunResult } from "../documents/events.ts";
import { exitCodes, HandoverError, toType } from "../errors.ts";
import { LedgerMissingError } from "../ledger/errors.ts";
import type { Drive, DriveOptions } from "./drive.ts";
import type { OpenStack } from "./open-stack.ts";
import { RunLedger } from "./run-ledger.ts";

/** Works under the stack's lease, and gives it back. */
export async function underLease(
  opened: OpenStack,
  options: DriveOptions,
  work: (drive: Drive) => Promise<RunResult>,
): Promise<RunResult> {
  const { stack, secrets, engine } = opened;
  const ledger = await RunLedger.open(opened, secrets, options, options.signals.stop, options.listener).catch(
    tableGone,
  );
  engine.workUnder(ledger);
  try {
    // Another run may have ended between the first look and the lease.
    const last = await engine.state.outputs();
    if (last !== undefined) await ledger.claimState(stack, last.outputs, { accepts: options.acceptState });
    return await work({ opened: { ...opened, last }, ledger, options });
  } finally {
    await ledger.close();
  }

  /** A site that was deployed has a table, unless somebody deleted it. */
  function tableGone(error: unknown): never {
    if (!(error instanceof LedgerMissingError) || opened.last === undefined) throw error;
    const { tableName } = error;
    throw new HandoverError(
      "ledger-gone",
      exitCodes.needsPerson,
      {
        happened: `Table ${tableName} is gone from ${opened.region}, and its site is there`,
        state: "Nothing was changed",
        first: `Restore it from its backups (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery.Tutorial.html), or begin an empty one: \`pulumi refresh --stack ${stack}\`, then \`pulumi up --stack ${stack}\``,
        next: toType("upgrade", stack),
      },
      { cause: error },
    );
  }
}
