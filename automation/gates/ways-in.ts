import type { Outputs } from "../../stacks/outputs.ts";
import type { Aws } from "../cloud/aws.ts";
import type { Known } from "../cloud/routing.ts";
import type { TestHost } from "../cloud/ways-in.ts";
import { generationOf } from "./context.ts";
import type { Gate } from "./gate.ts";

/** What is seen here does not change by itself: a person is told soon. */
const patienceSeconds = 10;

/** Nothing but what Handover shifts gives requests to a generation's servers, or is registered beside them. */
export function noOtherWayIn(
  aws: Pick<Aws, "arrays" | "waysIn">,
  outputs: Outputs,
  generation: string,
  gateSeconds: number,
): Gate {
  return {
    name: `no other way in: ${generation}`,
    patienceSeconds: Math.min(patienceSeconds, gateSeconds),
    whenOver: "inconclusive",
    async observe(signal) {
      const others = await aws.waysIn(await knownWays(aws, outputs, generation, signal), signal);
      return { verdict: others.length === 0 ? "pass" : "pending", evidence: { others } };
    },
  };
}

/** The test host name reaches the generation that is tested, and no other name does. */
export function testHostAlone(aws: Pick<Aws, "testHostProblems">, outputs: Outputs, gateSeconds: number): Gate {
  return {
    name: "test host name alone",
    patienceSeconds: Math.min(patienceSeconds, gateSeconds),
    whenOver: "inconclusive",
    async observe(signal) {
      const problems = await aws.testHostProblems(testHostOf(outputs), signal);
      return { verdict: problems.length === 0 ? "pass" : "pending", evidence: { problems } };
    },
  };
}

export function testHostOf({
  loadBalancer,
  testHostname,
  generations,
}: Pick<Outputs, "loadBalancer" | "testHostname" | "generations">): TestHost {
  const targetGroupArns = Object.values(generations).map(({ targetGroupArn }) => targetGroupArn);
  return { loadBalancerArn: loadBalancer.arn, listenerPort: loadBalancer.port, testHostname, targetGroupArns };
}

/** A generation's servers, an array's too, and the ways to them that Handover shifts. */
export async function knownWays(
  { arrays }: Pick<Aws, "arrays">,
  outputs: Outputs,
  generation: string,
  signal: AbortSignal,
): Promise<Known> {
  const { loadBalancer, testHostname, addresses } = outputs;
  const { frontends, array, targetGroupArn, port } = generationOf(outputs, generation);
  const ofArray = array === undefined ? [] : await arrays.servers([array.name], signal);
  return {
    ...{ generation, servers: [...frontends, ...ofArray], targetGroupArn, port, testHostname },
    loadBalancerArn: loadBalancer.arn,
    listenerPort: loadBalancer.port,
    // One that shall be elsewhere, and was moved back by hand, is a way in like any other.
    addresses: addresses
      .filter(({ instanceId }) => frontends.some((frontend) => frontend.instanceId === instanceId))
      .map(({ allocationId }) => allocationId),
    ...(array !== undefined && { array: array.name }),
  };
}
