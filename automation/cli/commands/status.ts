import type { DocumentOf } from "../../documents/documents.ts";
import { exitCodes } from "../../errors.ts";
import { LedgerMissingError } from "../../ledger/errors.ts";
import { generationLines, generationStatus } from "../generation-status.ts";
import { type Command, print, printJson, stackOption } from "./command.ts";

export const statusCommand: Command<{ stack: string }> = {
  command: "status",
  task: "look",
  describe: "show what serves, who holds which address, and how far a run has got; takes no lease",
  examples: [
    ["status --stack production", "what serves, and how far a run has got"],
    ["status --stack production --json | jq .live", "the generation that serves"],
  ],
  builder: stackOption,
  async run({ stack, json }) {
    const [{ begunRun }, { standingOf }, { missingFrom }, { readLease }, { ledgerOf }, { openStack }] =
      await Promise.all([
        import("../../run/unfinished-run.ts"),
        import("../../run/standing.ts"),
        import("../../run/missing.ts"),
        import("../../ledger/lease.ts"),
        import("../../run/run-ledger.ts"),
        import("../../run/open-stack.ts"),
      ]);
    const opened = await openStack(stack, { create: false });
    const table = ledgerOf(opened);
    try {
      const outputs = opened.last?.outputs;
      const addresses = outputs?.addresses ?? [];
      const [begun, missing, holders, lease] = await Promise.all([
        begunRun(opened),
        outputs === undefined ? [] : missingFrom(opened.aws, outputs),
        opened.aws.addressHolders(addresses.map(({ allocationId }) => allocationId)),
        readLease(table).catch((error) => {
          if (error instanceof LedgerMissingError) return { state: "free" as const, token: 0 };
          throw error;
        }),
      ]);
      const generations = Object.entries(outputs?.generations ?? {}).map(
        async ([name, generation]) => [name, await generationStatus(opened.aws, generation)] as const,
      );
      const { run, ended } = standingOf(begun, outputs, () => "by-hand") ?? {};
      const status = {
        stack,
        live: outputs?.live ?? null,
        goal: opened.config.live,
        run:
          run === undefined
            ? null
            : { ...run, waitingFor: waiting(run.waitingFor), approved: [...run.approved], ...(ended && { ended }) },
        lease,
        loadBalancer: outputs?.loadBalancer ?? null,
        ...(outputs?.entries !== undefined && { entries: outputs.entries }),
        addresses: addresses.map((each) => ({ ...each, heldBy: holders.get(each.allocationId) || null })),
        missing: missing.flatMap(({ kind, says }) => (kind === "starting" ? [] : says)),
        generations: Object.fromEntries(await Promise.all(generations)),
      };
      if (json) printJson("status", status);
      else print(linesOf(status));
      return exitCodes.reached;
    } finally {
      table.client.destroy();
      opened.close();
    }
  },
};

export type Status = Omit<DocumentOf<"status">, "version">;

/** The paused event has more than is asked for here. */
function waiting(paused: { phase: string; digest?: string } | undefined) {
  return paused && { phase: paused.phase, digest: paused.digest };
}

function linesOf({ live, goal, run, lease, addresses, missing, generations }: Status): string[] {
  return [
    live === null ? `nothing is deployed; the goal is ${goal}` : `${live} is live; the goal is ${goal}`,
    ...(run === null ? [] : [lineOf(run)]),
    ...(lease.state === "held"
      ? [
          `${lease.holder?.who} on ${lease.holder?.host} works on it since ${lease.holder?.since}: ${lease.holder?.command}`,
        ]
      : []),
    ...Object.entries(generations).flatMap(([name, generation]) => generationLines(name, generation)),
    ...addresses.map(({ publicIp, heldBy }) => `${publicIp} -> ${heldBy ?? "no server"}`),
    ...(missing.length === 0
      ? []
      : ["", "changed in AWS since the last update:", ...missing.map((each) => `  ${each}`)]),
  ];
}

function lineOf({ from, to, reached, rollingBack, ended }: NonNullable<Status["run"]>): string {
  const run = `a run from ${from} to ${to}`;
  if (ended !== undefined) return `${run} was ended by hand (${ended}); the next command records it`;
  return `${run} has reached ${reached ?? "nothing yet"}${rollingBack ? " and goes back" : ""}`;
}
