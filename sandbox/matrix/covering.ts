export interface Conditions<Row> {
  /** The combinations that a row tries, as text. */
  readonly pairsOf: (row: Row) => readonly string[];
  /** Rows of one site are cheaper together. */
  readonly siteOf: (row: Row) => string;
}

/**
 * Rows in which every combination of any of them occurs at least once: faults that depend on two conditions are found, in a
 * fraction of the runs. Rows of sites that are used already are preferred.
 */
export function covering<Row>(rows: readonly Row[], { pairsOf, siteOf }: Conditions<Row>): readonly Row[] {
  const left = new Set(rows.flatMap(pairsOf));
  const sites = new Set<string>();
  const chosen = new Set<Row>();
  while (left.size > 0) {
    let best: { readonly row: Row; readonly worth: number } | undefined;
    for (const row of rows) {
      const worth = pairsOf(row).filter((pair) => left.has(pair)).length + (sites.has(siteOf(row)) ? 0.5 : 0);
      if (best === undefined || worth > best.worth) best = { row, worth };
    }
    if (best === undefined) break;
    chosen.add(best.row);
    sites.add(siteOf(best.row));
    for (const pair of pairsOf(best.row)) left.delete(pair);
  }
  return rows.filter((row) => chosen.has(row));
}

/** Every value of each condition beside every value of each other one. */
export function pairsOfValues(row: object): string[] {
  const values = Object.entries(row).map(([name, value]) => `${name}=${value}`);
  return values.flatMap((value, index) => values.slice(index + 1).map((other) => `${value} ${other}`));
}
