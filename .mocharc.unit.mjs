import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Whether a test, or a file of test/ that it imports, starts the sandbox's cloud. */
function needsCloud(file) {
  if (file === join("test", "sandbox", "support.ts")) return true;
  const imports = readFileSync(file, "utf8").matchAll(/ from "(\.[^"]+)"/g);
  return [...imports]
    .map(([, path]) => join(file, "..", path))
    .some((path) => path.startsWith("test") && needsCloud(path));
}

/** Everything that needs node and the packages only. */
export default {
  spec: globSync("test/!(end-to-end)/**/*.test.ts").filter((file) => !needsCloud(file)),
  parallel: true,
  jobs: 2,
  timeout: 60_000,
};
