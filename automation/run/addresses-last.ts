import { isTrafficFirst } from "../../stacks/intent.ts";
import { generationNames, types } from "../../stacks/names.ts";
import { type Frontend, type Outputs, withoutAddress } from "../../stacks/outputs.ts";
import { messageOf } from "../errors.ts";
import { wasBad } from "../gates/context.ts";
import { waysOut } from "../gates/ways-out.ts";
import type { Row, RunIdentity } from "../runbook/rows.ts";
import type { Drive } from "./drive.ts";
import { nameOf } from "./repair.ts";
import type { Walker } from "./walker.ts";

/**
 * AWS assigns an address "within a few minutes" after an Elastic IP left, mostly sooner; whoever goes back has waited long enough then.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html
 */
const patienceSeconds = 60;

/**
 * Old servers, by name, whose Elastic IPs stay with the new ones until all traffic is back, so that the new ones serve
 * nobody without a way out: those that can call the Internet without. The others take traffic and addresses in one update,
 * as do those whose address is on a server that does not serve any more: its users wait for nothing.
 * Where going back is somebody's wish the new ones may serve on, and AWS gets a minute to assign addresses to the old.
 */
export async function addressesLast(
  drive: Drive,
  walker: Walker,
  run: RunIdentity & { readonly isWish?: boolean },
  row: Row,
): Promise<readonly string[]> {
  const { opened, ledger, options } = drive;
  const { outputs } = walker;
  if (outputs === undefined || !isTrafficFirst(opened.shape)) return [];
  const signal = AbortSignal.any([options.signals.stop, ledger.lost]);
  try {
    const all = await awaiting(drive, outputs, run, signal);
    // Nobody waits for the address of one that was down before the run.
    const [down = [], servers = []] = [true, false].map((isDown) =>
      all.filter(({ instanceId }) => wasBad(drive, "server", instanceId) === isDown),
    );
    const assigned = run.isWish === true ? await launchedWithAddress(drive, servers) : [];
    const gate = waysOut(opened.aws, assigned, { isolated: true });
    const areOpen = assigned.length > 0 && (await walker.waitFor(row, [{ ...gate, patienceSeconds }]));
    // What was seen once counts: AWS may show it later as it was before.
    const others = areOpen ? servers.filter((server) => !assigned.includes(server)) : servers;
    const ways = await opened.aws.waysOut.ofServers(
      others.map(({ instanceId }) => instanceId),
      signal,
    );
    const isShut = (server: Frontend) => {
      const { isOpen, byRoutes } = ways.get(server.instanceId) ?? {};
      return others.includes(server) && isOpen !== true && byRoutes !== "none";
    };
    return [...down, ...servers.filter((server) => !isShut(server))].map(({ name }) => name);
  } catch (error) {
    options.signals.stop.throwIfAborted();
    const message = `Whether the old servers can call the Internet could not be seen, so they take traffic and addresses in one update: ${ledger.redact(messageOf(error))}`;
    ledger.tell({ type: "warning", message });
    return [];
  }
}

/** Old servers whose Elastic IPs are with new ones that serve. */
async function awaiting(
  { opened }: Drive,
  outputs: Outputs,
  { from, to }: RunIdentity,
  signal: AbortSignal,
): Promise<readonly Frontend[]> {
  const { [from]: old, [to]: next } = outputs.generations;
  const away = withoutAddress(outputs, from);
  if (old === undefined || next === undefined || away.length === 0) return [];
  const health = await opened.aws.targetHealth(next.targetGroupArn, signal);
  const holders = new Map(
    outputs.addresses.map(({ instanceId }, index) => [generationNames.instance.of(from, index), instanceId]),
  );
  const isServing = (name: string) => health.get(holders.get(name) ?? "")?.TargetHealth?.State === "healthy";
  return old.frontends.filter(({ name }) => away.includes(name) && isServing(name));
}

/** Those to which AWS gives an address again; servers that are older than that never had one of their own. */
async function launchedWithAddress({ opened }: Drive, servers: readonly Frontend[]): Promise<readonly Frontend[]> {
  const { resources = [] } = await opened.engine.state.export();
  const names = resources
    .filter(({ type, inputs }) => type === types.instance && inputs?.associatePublicIpAddress === true)
    .map(({ urn }) => nameOf(urn));
  return servers.filter(({ name }) => names.includes(name));
}
