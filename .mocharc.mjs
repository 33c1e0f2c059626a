import { globSync } from "node:fs";
import { availableParallelism } from "node:os";

/** Upgrades, the longest first, so that at the end nobody waits for one. */
const upgrades = globSync("test/end-to-end/{rollback,gates,faults,*}.test.ts");

export default {
  spec: [...new Set([...upgrades, ...globSync("test/**/*.test.ts")])],
  parallel: true,
  // Upgrades wait for servers a third of their time, so that two cores are enough for four; a machine has 16 sandboxes.
  jobs: Math.min(8, Math.max(4, 2 * availableParallelism())),
  timeout: 600_000,
};
