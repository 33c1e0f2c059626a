import type { Outputs } from "../../stacks/outputs.ts";

/** Says who has the public traffic, by what was applied last: "blue serves", "blue (50 %) and green (50 %) serve". */
export function servingOf(outputs: Outputs | undefined): string {
  if (outputs === undefined) return "Nothing serves yet";
  const shares = Object.entries(outputs.generations).filter(([, { weight }]) => weight > 0);
  if (shares.length < 2) return `${shares[0]?.[0] ?? outputs.live} serves`;
  return `${shares.map(([name, { weight }]) => `${name} (${weight} %)`).join(" and ")} serve`;
}
