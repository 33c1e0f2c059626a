import type { DocumentCheck } from "../../stacks/config/checks.ts";
import type { SystemsManager } from "../cloud/systems-manager.ts";
import { endOf } from "./command.ts";
import type { Servers } from "./context.ts";
import type { Gate, Observation } from "./gate.ts";

/** A document of Systems Manager ends with `Success` on every server. It runs once: what it says is the verdict. */
export function documentSucceeds(
  manager: Pick<SystemsManager, "run">,
  { ssm: { document, parameters }, timeoutSeconds }: DocumentCheck,
  servers: Servers,
  redact: (text: string) => string,
): Gate {
  return {
    name: `smoke document ${document}`,
    async observe(signal): Promise<Observation> {
      const asked = await servers(signal);
      const ids = asked.map(({ instanceId }) => instanceId);
      try {
        const ends = await manager.run({ name: document, parameters, timeoutSeconds }, ids, signal);
        const missed = asked.flatMap(({ name, instanceId }) => {
          const end = ends.get(instanceId);
          if (end?.status === "Success") return [];
          const { status = "Missing", exitCode = -1, output = "" } = end ?? {};
          return [{ name, status, exitCode, output: endOf(output, redact) }];
        });
        if (missed.length === 0) return { verdict: "pass", evidence: { succeeded: ids.length } };
        return { verdict: "fail", evidence: { missed: missed.slice(0, 5) } };
      } catch (error) {
        // The agent registers itself a while after the boot.
        if (error instanceof Error && error.name === "InvalidInstanceId")
          return { verdict: "pending", evidence: { notManagedYet: error.message } };
        throw error;
      }
    },
  };
}
