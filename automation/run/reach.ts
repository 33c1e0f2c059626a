import { entriesIn } from "../../stacks/outputs.ts";
import { addressesOf, ask, type Question } from "../cloud/http.ts";
import { isUnreachable, NotSeenError, remedies } from "../cloud/not-seen.ts";
import { messageOf, toType } from "../errors.ts";
import type { OpenStack } from "./open-stack.ts";
import { servingOf } from "./serving.ts";

/**
 * The site can be asked from here, whatever it answers: what a run proves, it proves by asking, and it is too late to
 * find out once it is halfway.
 * @throws NotSeenError before a run is begun
 */
export async function checkReach({ stack, config, last }: OpenStack, stop: AbortSignal): Promise<void> {
  if (last === undefined) return;
  const { hostname, generations, live, addresses } = last.outputs;
  const { path } = config.site.loadBalancer.healthCheck;
  const own = addresses.map(({ publicIp }): Question => {
    return { protocol: "http", address: publicIp, port: generations[live]?.port ?? 0, host: hostname, path };
  });
  const why = ([reason]: readonly string[]) => `cannot be reached from here (${reason})`;
  const listeners = entriesIn(last.outputs).map(async ({ listener: { dnsName, port, protocol } }) => {
    const nodes = await addressesOf(dnsName).catch((error) => {
      throw cannotReach(`The load balancer's name ${dnsName} is not known here (${messageOf(error)})`);
    });
    const asked = nodes.map((address): Question => ({ protocol, address, name: dnsName, port, host: hostname, path }));
    const ofBalancer = await reasons(asked, stop);
    if (ofBalancer !== undefined) throw cannotReach(`The load balancer ${dnsName}:${port} ${why(ofBalancer)}`);
  });
  const [ofAddresses] = await Promise.all([reasons(own, stop), ...listeners]);
  if (ofAddresses !== undefined)
    throw cannotReach(`The Elastic IPs ${addresses.map(({ publicIp }) => publicIp).join(", ")} ${why(ofAddresses)}`);

  function cannotReach(happened: string): NotSeenError {
    const state = `Nothing was begun: ${servingOf(last?.outputs)}`;
    const next = toType("upgrade", stack);
    return new NotSeenError("unreachable", { happened, state, first: remedies.unreachable, next });
  }
}

/** Why none of them could be asked; undefined when one answered, if only by refusing the connection. */
async function reasons(questions: readonly Question[], stop: AbortSignal): Promise<readonly string[] | undefined> {
  const asked = questions.map((question) =>
    ask(question, stop).then(
      () => undefined,
      (error) => (isUnreachable(error) ? messageOf(error) : undefined),
    ),
  );
  const answers = await Promise.all(asked);
  stop.throwIfAborted();
  const unreachable = answers.filter((reason) => reason !== undefined);
  return questions.length > 0 && unreachable.length === questions.length ? unreachable : undefined;
}
