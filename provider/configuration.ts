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

/** The provider's configuration, which travels as text; settings that are not supported go to `failures`. */
export function cloudOptions(config: Properties, failures: CheckFailure[]): CloudOptions {
  const { region, accessKey, secretKey, token, endpoints, defaultTags, ...others } = config;
  for (const [property, value] of Object.entries(others)) {
    if (ignored.has(property) || value === undefined || value === null) continue;
    failures.push({ property, reason: `aws:${property} is not supported by Handover's provider` });
  }
  return {
    region: text(region),
    accessKey: text(accessKey),
    secretKey: text(secretKey),
    token: text(token),
    endpoints: Object.assign({}, ...list(endpoints)),
    defaultTags: tags(defaultTags),
  };
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

function list(value: unknown): Record<string, string>[] {
  const given = parsed(value);
  return Array.isArray(given) ? given.filter(isObject).map((entry) => entry as Record<string, string>) : [];
}

function parsed(value: unknown): unknown {
  return typeof value === "string" && value !== unknown && value !== "" ? JSON.parse(value) : value;
}
