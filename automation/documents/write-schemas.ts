import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { manualFile, manualText } from "./manual.ts";
import { schemaDirectory, schemaFiles } from "./schemas.ts";

rmSync(schemaDirectory, { recursive: true, force: true });
mkdirSync(schemaDirectory, { recursive: true });
for (const [file, text] of Object.entries(schemaFiles())) writeFileSync(join(schemaDirectory, file), text);
writeFileSync(manualFile, manualText());
