import { join } from "node:path";

/** The folder of `Pulumi.yaml`; paths in the configuration are relative to it. */
export const projectDirectory = join(import.meta.dirname, "..");
