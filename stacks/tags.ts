import type * as pulumi from "@pulumi/pulumi";
import type { Outputs } from "./outputs.ts";

/** Tags of everything that a site owns. */
export interface Owner {
  /** See `siteName`. */
  readonly site: string;
  /** See `idTag`. */
  readonly id: pulumi.Input<string>;
  readonly generation?: string;
  /** The run in which the resource was created. */
  readonly run?: string;
  /** Those of the site, or of its servers, that the file asks for. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/**
 * A site's name in tags and resource names, and its table's: that of the stack in which it was deployed. It stays when
 * the stack is renamed.
 */
export function siteName(stack: string, last?: Pick<Outputs, "ledgerTable">): string {
  return last?.ledgerTable ?? `handover-${stack}`;
}

/** The random id by which a site is told from another of the same name; see docs/decisions/0015-site-ids.md. */
export const idTag = "handover:site-id";

export function tags(name: string, owner: Owner): Record<string, pulumi.Input<string>> {
  return {
    ...owner.tags,
    Name: `${owner.site}-${name}`,
    "handover:site": owner.site,
    [idTag]: owner.id,
    ...(owner.generation !== undefined && { "handover:generation": owner.generation }),
    ...(owner.run !== undefined && { "handover:run": owner.run }),
  };
}

/** What is older than ids stays without one: nothing that serves changes for it. */
export const keepId = [`tags["${idTag}"]`];

/** The run that created a resource stays in its tags: a later run must not touch it. */
export const keepRun = ['tags["handover:run"]', ...keepId];

/** The run in which a resource with these tags was created, if one is named. */
export function runOf(tags: Readonly<Record<string, string>>): string | undefined {
  return tags["handover:run"];
}
