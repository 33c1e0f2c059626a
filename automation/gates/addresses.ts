import type { Outputs } from "../../stacks/outputs.ts";
import type { Aws } from "../cloud/aws.ts";
import type { Gate } from "./gate.ts";

/** AWS shows every Elastic IP on the server that shall hold it. */
export function addressesHeld(aws: Aws, addresses: Outputs["addresses"]): Gate {
  return {
    name: "addresses held",
    async observe(signal) {
      const holders = await aws.addressHolders(
        addresses.map(({ allocationId }) => allocationId),
        signal,
      );
      const missed = addresses
        .map(({ publicIp, allocationId, instanceId }) => ({
          publicIp,
          expected: instanceId,
          holder: holders.get(allocationId) ?? "nobody",
        }))
        .filter(({ expected, holder }) => expected !== holder);
      return {
        verdict: missed.length === 0 ? "pass" : "pending",
        evidence: missed.length === 0 ? { held: addresses.length } : { missed },
      };
    },
  };
}
