/** Tags of everything that a site owns. */
export interface Owner {
  /** See `siteName`. */
  readonly site: string;
  readonly generation?: string;
  /** The run in which the resource was created. */
  readonly run?: string;
}

/** A site's name in tags and resource names. */
export function siteName(stack: string): string {
  return `handover-${stack}`;
}

export function tags(name: string, owner: Owner): Record<string, string> {
  return {
    Name: `${owner.site}-${name}`,
    "handover:site": owner.site,
    ...(owner.generation !== undefined && { "handover:generation": owner.generation }),
    ...(owner.run !== undefined && { "handover:run": owner.run }),
  };
}

/** The run that created a resource stays in its tags: a later run must not touch it. */
export const keepRun = ['tags["handover:run"]'];
