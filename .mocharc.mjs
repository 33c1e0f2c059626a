import { globSync } from "node:fs";

/** Upgrades, the longest first, so that at the end nobody waits for one. */
const upgrades = globSync("test/end-to-end/{rollback,gates,faults,*}.test.ts");

export default {
  spec: [...new Set([...upgrades, ...globSync("test/**/*.test.ts")])],
  parallel: true,
  // Upgrades mostly wait for servers, so that two cores are enough for four.
  jobs: 4,
  timeout: 180_000,
};
