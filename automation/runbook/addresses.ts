import { types } from "../../stacks/names.ts";
import { isPhase } from "../../stacks/runbook.ts";
import { AddressGap } from "../gates/address-gap.ts";
import { addressesHeld } from "../gates/addresses.ts";
import { type GateContext, generationOf, isOld, wasBad } from "../gates/context.ts";
import type { Gate } from "../gates/gate.ts";
import { identityOf } from "../gates/identity.ts";
import { type Place, type SmokeOptions, smoke } from "../gates/smoke.ts";
import { httpChecks, pageOf, reading } from "./questions.ts";
import type { Row } from "./rows.ts";

/** Gates over the site's Elastic IPs, whose users come by the first entry's port. */

/** The users of the Elastic IPs, as the driver can be one, while an update moves some; undefined where it moves none. */
export function addressUsers(
  row: Row,
  context: GateContext,
  operations: readonly { readonly type: string }[],
): AddressGap | undefined {
  if (!operations.some(({ type }) => type === types.eipAssociation)) return undefined;
  const { config, after } = context;
  const { port } = generationOf(after, after.live);
  const identity = identityOf(context);
  const path = pageOf(context, undefined);
  const asked = after.addresses
    .filter(({ allocationId }) => !wasBad(context, "address", allocationId))
    .map(({ publicIp }) => {
      const place = { protocol: "http", address: publicIp, port, host: after.hostname, path } as const;
      // In a quiet move a connection may take as long as until its SYN is sent a third time.
      return { publicIp, question: { ...place, timeoutSeconds: 10 } };
    });
  const { maxGapMilliseconds, ...rules } = config.upgrade.addresses;
  // A way back has to end, whatever they meet.
  const limits = { ...rules, ...(isPhase(row) && { maxGapMilliseconds }) };
  return asked.length === 0 ? undefined : new AddressGap(asked, limits, identity);
}

/** Every address that has moved works; where answers do not say who gave them, that is told. */
export function addressesMoved(context: GateContext, name: string): Gate[] {
  const unsigned =
    "answers do not say which generation gave them (handover:upgrade.identify); AWS shows each address on its server";
  return addressesWork(context, name, { unsigned });
}

/** Every address that the generation holds is on its server, and is answered from there. */
export function addressesWork(
  context: GateContext,
  name: string,
  options: Pick<SmokeOptions, "unsigned"> = {},
): Gate[] {
  const { aws, after } = context;
  const { frontends, port } = generationOf(after, name);
  const held = after.addresses
    .filter(({ instanceId }) => frontends.some((frontend) => frontend.instanceId === instanceId))
    .filter(({ allocationId }) => !isOld(context, name) || !wasBad(context, "address", allocationId));
  if (held.length === 0) return [];
  const places = held.map(({ publicIp }): Place => {
    const question = { protocol: "http", address: publicIp, port, host: after.hostname } as const;
    return { name: publicIp, question, generation: name };
  });
  return [
    addressesHeld(aws, held),
    smoke("smoke through the addresses", places, httpChecks(context, name, undefined), {
      ...reading(context),
      ...options,
    }),
  ];
}
