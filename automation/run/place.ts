import { siteName } from "../../stacks/tags.ts";
import { Engine } from "../engine/engine.ts";
import { LedgerMissingError } from "../ledger/errors.ts";
import { readLease } from "../ledger/lease.ts";
import { accessOfFile, stackFileOf } from "./open-stack.ts";
import { ledgerOf, type Place } from "./run-ledger.ts";

/**
 * A site's place without its engine, which takes a second: unless the file has secrets among the plugin's settings, or the
 * site's table is not there under the stack's name, which may be a new one.
 * @throws ConfigError or HandoverError (exit 1)
 */
export async function placeOf(stack: string): Promise<Place> {
  const file = stackFileOf(stack);
  const isSecret = Object.entries(file.config).some(([key, value]) => key.startsWith("aws:") && hasSecret(value));
  const place = { site: siteName(stack), access: accessOfFile(file) };
  if (!isSecret && (await isThere(place))) return place;
  const engine = await Engine.open(file, { create: false });
  try {
    const values = file.hasSecrets ? await engine.decryptedConfig() : file.config;
    const last = await engine.state.outputs();
    return { site: siteName(stack, last?.outputs), access: accessOfFile(file, values) };
  } finally {
    engine.close();
  }
}

/** Whether a value is encrypted, or one in it. */
function hasSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return "secure" in value || Object.values(value).some(hasSecret);
}

async function isThere(place: Place): Promise<boolean> {
  const table = ledgerOf(place);
  try {
    await readLease(table);
    return true;
  } catch (error) {
    return !(error instanceof LedgerMissingError);
  } finally {
    table.client.destroy();
  }
}
