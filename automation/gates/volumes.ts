import type { Aws } from "../cloud/aws.ts";
import type { Servers } from "./context.ts";
import type { Gate } from "./gate.ts";

/** AWS keeps every volume beside the root when the servers end. */
export function volumesStay(aws: Pick<Aws, "volumes">, servers: Servers): Gate {
  return {
    name: "volumes stay",
    whenOver: "inconclusive",
    async observe(signal) {
      const ids = (await servers(signal)).map(({ instanceId }) => instanceId);
      const volumes = await aws.volumes.beside(ids, signal);
      const named = (ends: boolean) =>
        volumes
          .filter(({ endsWithServer }) => endsWithServer === ends)
          .map(({ volumeId, device, instanceId }) => `${volumeId} (${device} of ${instanceId})`);
      const end = named(true);
      if (end.length === 0) return { verdict: "pass", evidence: { stay: named(false) } };
      return { verdict: "pending", evidence: { wouldBeDeleted: end } };
    },
  };
}
