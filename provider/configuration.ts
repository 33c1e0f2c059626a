import { accessOf } from "../automation/cloud/plugin-settings.ts";
import { SettingError } from "../automation/cloud/setting-values.ts";
import { canonicalJson } from "../automation/ledger/canonical.ts";
import type { CheckFailure } from "./check.ts";
import type { CloudOptions } from "./cloud.ts";
import type { Difference } from "./diff.ts";
import { isObject, type Properties, unknown } from "./values.ts";

/** Settings of the official plugin that change nothing here. */
const ignored = new Set([
  "version",
  "pluginDownloadURL",
  "skipCredentialsValidation",
  "skipMetadataApiCheck",
  "skipRegionValidation",
  "skipRequestingAccountId",
  "s3UsePathStyle",
  "maxRetries",
  "retryMode",
]);

/** Those that say where AWS is asked, and as whom; see automation/cloud/plugin-settings.ts. */
const followed = new Set([
  "accessKey",
  "secretKey",
  "token",
  "profile",
  "sharedConfigFiles",
  "sharedCredentialsFiles",
  "assumeRole",
  "assumeRoles",
  "assumeRoleWithWebIdentity",
  "stsRegion",
  "allowedAccountIds",
  "forbiddenAccountIds",
  "endpoints",
  "useFipsEndpoint",
  "useDualstackEndpoint",
]);

/** The provider's configuration, which travels as text; settings that are not supported go to `failures`. */
export function cloudOptions(config: Properties, failures: CheckFailure[]): CloudOptions {
  const { region, defaultTags, ...others } = config;
  const known = Object.entries(others).filter(
    ([, value]) => value !== undefined && value !== null && value !== unknown,
  );
  for (const [property] of known) {
    if (ignored.has(property) || followed.has(property)) continue;
    failures.push({ property, reason: `aws:${property} is not supported by Handover's provider` });
  }
  const settings = Object.fromEntries(known.filter(([property]) => followed.has(property)));
  try {
    accessOf(text(region) ?? "us-east-1", settings);
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    failures.push({ property: "", reason: error.message });
  }
  return { region: text(region), settings, defaultTags: tags(defaultTags) };
}

/** Settings that changed: the engine asks for nothing anew with a provider that did not. What is in another region is another thing. */
export function configDifferences(olds: Properties, news: Properties): Difference[] {
  const settings = Object.keys({ ...olds, ...news }).filter((setting) => setting !== "version");
  return settings
    .filter((setting) => canonicalJson(olds[setting] ?? null) !== canonicalJson(news[setting] ?? null))
    .map((path) => ({ path, kind: "update", replace: path === "region" }));
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value !== unknown ? value : undefined;
}

function tags(value: unknown): Record<string, string> {
  const given = parsed(value);
  return isObject(given) && isObject(given.tags) ? (given.tags as Record<string, string>) : {};
}

function parsed(value: unknown): unknown {
  return typeof value === "string" && value !== unknown && value !== "" ? JSON.parse(value) : value;
}
