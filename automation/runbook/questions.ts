import { type HttpCheck, httpCheckOf } from "../../stacks/config/checks.ts";
import { type Config, type EntryConfig, entriesOf } from "../../stacks/config.ts";
import type { Entry } from "../../stacks/outputs.ts";
import { type GateContext, isOld, wasBad } from "../gates/context.ts";
import { identityOf } from "../gates/identity.ts";
import type { Place } from "../gates/smoke.ts";

/** Questions that a generation is asked by an entry, and where. An entry that is undefined is the first. */

/** A page of an entry whose answers may say who gave them. */
export function pageOf(context: GateContext, entry: string | undefined): string {
  const { path } = identityOf(context);
  return entry === undefined && path !== undefined ? path : usualPage(context, entry).path;
}

/** The HTTP checks that the configuration states. Those of the upgrade are the first entry's; each other has its own. */
export function httpChecksOf(config: Pick<Config, "upgrade" | "site">, entry?: string): readonly HttpCheck[] {
  if (entry === undefined) return (config.upgrade.smoke ?? []).filter((check) => "path" in check);
  const { smoke = [] } = entryOf(config, entry);
  return smoke.map((check) => ({ ...check, headers: {} }));
}

/**
 * The checks that a generation must pass by an entry: the configuration's, or the usual page where there are none. Of the
 * old one only that is asked: the others may be as new as the new generation.
 */
export function httpChecks(context: GateContext, name: string, entry: string | undefined): readonly HttpCheck[] {
  const { config } = context;
  const health = usualPage(context, entry);
  if (isOld(context, name)) return [health];
  const checks = httpChecksOf(config, entry);
  const stated = checks.length > 0 ? checks : [health];
  if (entry !== undefined) return stated;
  const { path } = identityOf(context);
  return [
    ...stated,
    ...(path === undefined ? [] : [{ ...httpCheckOf({ path }), matcher: "200-399", identifies: true }]),
  ];
}

/**
 * The page by which an entry is known to answer: that of the load balancer's own check, with the answers that it takes for
 * healthy; where that has another port, the first of the entry's own.
 */
export function usualPage({ config }: { readonly config: Pick<Config, "site"> }, entry: string | undefined): HttpCheck {
  const { port, smoke, healthCheck } = entryOf(config, entry);
  const [own] = smoke ?? [];
  if (own !== undefined && (healthCheck.port ?? port) !== port) return { ...own, headers: {} };
  return { ...httpCheckOf({ path: healthCheck.path }), matcher: healthCheck.matcher };
}

function entryOf({ site }: Pick<Config, "site">, name: string | undefined): EntryConfig {
  const entry = entriesOf(site).find((each) => each.name === name);
  if (entry === undefined) throw new Error(`The configuration has no entry "${name}".`);
  return entry;
}

/** Whether the old generation did not even answer an entry's usual page through the load balancer before the run. */
export function neverAnswered(context: GateContext, name: string, entry: string | undefined): boolean {
  return isOld(context, name) && wasBad(context, "check", checkId(usualPage(context, entry), entry));
}

/** Names a check in the baseline, without the values of its headers. */
export function checkId(
  { path, method, expectStatus, expectBody, expectJson, matcher }: HttpCheck,
  entry?: string,
): string {
  return JSON.stringify({ path, method, expectStatus, expectBody, expectJson, matcher, entry });
}

export function balancerPlace({ listener }: Entry, host: string, generation?: string): Place {
  const { protocol, dnsName, port } = listener;
  return { name: host, question: { protocol, address: dnsName, port, host }, generation };
}

/** How answers are read. */
export function reading(context: GateContext) {
  return { redact: context.redact, identity: identityOf(context) };
}
