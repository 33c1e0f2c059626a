import { isTrafficFirst } from "../../stacks/intent.ts";
import { types } from "../../stacks/names.ts";
import { withoutAddress } from "../../stacks/outputs.ts";
import { messageOf } from "../errors.ts";
import { waysOut } from "../gates/ways-out.ts";
import type { Row, RunIdentity } from "../runbook/rows.ts";
import type { Drive } from "./drive.ts";
import { nameOf } from "./repair.ts";
import type { Walker } from "./walker.ts";

/** "Within a few minutes": https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html */
const patienceSeconds = 300;

/**
 * Old servers, by name, whose Elastic IPs stay with the new ones until all traffic is back, so that the new ones serve
 * nobody without a way out: those that can call the Internet without. The others take traffic and addresses in one update.
 * Where it is somebody's wish to go back the new ones may serve on, and AWS gets its minutes to assign addresses to the old.
 */
export async function addressesLast(
  { opened, ledger, options: { signals } }: Drive,
  walker: Walker,
  { from, isWish = false }: RunIdentity & { readonly isWish?: boolean },
  row: Row,
): Promise<readonly string[]> {
  const { outputs } = walker;
  if (outputs === undefined || !isTrafficFirst(opened.shape)) return [];
  const away = withoutAddress(outputs, from);
  const servers = outputs.generations[from]?.frontends.filter(({ name }) => away.includes(name)) ?? [];
  if (servers.length === 0) return [];
  const { waysOut: asked } = opened.aws;
  try {
    if (isWish) {
      const { resources = [] } = await opened.engine.state.export();
      const launched = resources.filter(
        ({ type, inputs }) => type === types.instance && inputs?.associatePublicIpAddress,
      );
      const assigned = new Set(launched.map(({ urn }) => nameOf(urn)));
      const own = servers.filter(({ name }) => assigned.has(name));
      if (own.length > 0)
        await walker.waitFor(row, [{ ...waysOut(opened.aws, own, { isolated: true }), patienceSeconds }]);
    }
    const ids = servers.map(({ instanceId }) => instanceId);
    const ways = await asked.ofServers(ids, AbortSignal.any([signals.stop, ledger.lost]));
    return servers.flatMap(({ name, instanceId }) => {
      const way = ways.get(instanceId);
      return way?.isOpen === true || way?.byRoutes === "none" ? [name] : [];
    });
  } catch (error) {
    signals.stop.throwIfAborted();
    const message = `Whether the old servers can call the Internet could not be seen, so they take traffic and addresses in one update: ${ledger.redact(messageOf(error))}`;
    ledger.tell({ type: "warning", message });
    return [];
  }
}
