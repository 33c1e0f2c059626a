import type { Evidence, Gate, Observation } from "./gate.ts";

/** Looks with `gate` only once `first` has passed: a suite is not run against servers that are still starting. */
export function once(first: Gate, gate: Gate): Gate {
  return {
    ...gate,
    async observe(signal): Promise<Observation> {
      const { evidence, ...seen } = await first.observe(signal);
      if (seen.verdict === "pass") return gate.observe(signal);
      return { ...seen, evidence: { waitsFor: first.name, evidence } satisfies Evidence };
    },
  };
}
