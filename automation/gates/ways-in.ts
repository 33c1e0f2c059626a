import { entriesIn, type Outputs, targetsOf } from "../../stacks/outputs.ts";
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

/** The test host name reaches the generation that is tested, by every entry, and no other name does. */
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

/** The test host name at each entry. */
export function testHostOf(
  outputs: Pick<Outputs, "loadBalancer" | "entries" | "testHostname" | "generations">,
): TestHost[] {
  const { testHostname, generations } = outputs;
  return entriesIn(outputs).map(({ name, listener: { arn, port } }) => {
    const targets = Object.values(generations).flatMap((each) => targetsOf(each).filter(({ entry }) => entry === name));
    const targetGroupArns = targets.map(({ targetGroupArn }) => targetGroupArn);
    return { loadBalancerArn: arn, listenerPort: port, testHostname, targetGroupArns };
  });
}

/** A generation's servers, an array's too, and the ways to them that Handover shifts. */
export async function knownWays(
  { arrays }: Pick<Aws, "arrays">,
  outputs: Outputs,
  name: string,
  signal: AbortSignal,
): Promise<Known> {
  const { testHostname, addresses } = outputs;
  const generation = generationOf(outputs, name);
  const { frontends, array } = generation;
  const ofArray = array === undefined ? [] : await arrays.servers([array.name], signal);
  const targets = targetsOf(generation);
  const entries = entriesIn(outputs).flatMap(({ name: entry, listener: { arn, port: listenerPort } }) =>
    targets
      .filter((each) => each.entry === entry)
      .map(({ targetGroupArn, port }) => ({ targetGroupArn, port, loadBalancerArn: arn, listenerPort })),
  );
  return {
    ...{ generation: name, servers: [...frontends, ...ofArray], entries, testHostname },
    // One that shall be elsewhere, and was moved back by hand, is a way in like any other.
    addresses: addresses
      .filter(({ instanceId }) => frontends.some((frontend) => frontend.instanceId === instanceId))
      .map(({ allocationId }) => allocationId),
    ...(array !== undefined && { array: array.name }),
  };
}
