import { STSClient } from "@aws-sdk/client-sts";
import { type Access, identified } from "./access.ts";
import { assumed, identity, type StsSettings } from "./assumed-roles.ts";
import { connections } from "./client-settings.ts";
import type { CredentialProvider } from "./credentials.ts";
import { objects, SettingError, type Settings, text, texts } from "./setting-values.ts";

/**
 * Reads what Pulumi's `aws` plugin is told: https://www.pulumi.com/registry/packages/aws/api-docs/provider/#inputs
 * @param settings by name without `aws:`
 * @throws SettingError
 */
export function accessOf(region: string, settings: Settings): Access {
  const shared = { region, endpoints: endpointsOf(settings), ...variants(settings) };
  const sts: StsSettings = { ...identified(shared, "sts"), region: text(settings, "stsRegion") ?? region };
  const { credentials: key, ...profile } = ownOf(settings);
  const [webIdentity] = objects(settings, "assumeRoleWithWebIdentity");
  const roles = objects(settings, "assumeRoles");
  const chain = roles.length > 0 ? roles : objects(settings, "assumeRole");
  const isOwn = key !== undefined || Object.keys(profile).length > 0;
  const source = () => found({ ...sts, ...profile, ...(key !== undefined && { credentials: key }) });
  const first = webIdentity !== undefined ? identity(webIdentity, sts) : isOwn ? source() : undefined;
  const credentials = chain.reduce<CredentialProvider | undefined>(
    (before, role) => assumed(role, before ?? source(), sts),
    first,
  );
  const [allowedAccountIds, forbiddenAccountIds] = [
    texts(settings, "allowedAccountIds"),
    texts(settings, "forbiddenAccountIds"),
  ];
  const token = webIdentity && text(webIdentity, "webIdentityToken");
  return {
    ...shared,
    ...(credentials !== undefined && { credentials }),
    ...(allowedAccountIds.length > 0 && { allowedAccountIds }),
    ...(forbiddenAccountIds.length > 0 && { forbiddenAccountIds }),
    secrets: [key?.secretAccessKey, key?.sessionToken, token].filter((each) => each !== undefined),
  };
}

/** A key, or a profile and the files in which it is looked up instead of the usual ones. */
function ownOf(settings: Settings) {
  const [accessKeyId, secretAccessKey] = [text(settings, "accessKey"), text(settings, "secretKey")];
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
    throw new SettingError(accessKeyId === undefined ? "accessKey" : "secretKey", "is missing; a key has both");
  const [profile, sessionToken] = [text(settings, "profile"), text(settings, "token")];
  const [configFilepath, filepath] = [
    fileOf(settings, "sharedConfigFiles"),
    fileOf(settings, "sharedCredentialsFiles"),
  ];
  return {
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey, sessionToken } }),
    ...(profile !== undefined && { profile }),
    ...(configFilepath !== undefined && { configFilepath }),
    ...(filepath !== undefined && { filepath }),
  };
}

/** The SDK reads one file of each kind. */
function fileOf(settings: Settings, name: string): string | undefined {
  const [file, ...more] = texts(settings, name);
  if (more.length > 0) throw new SettingError(name, "must name one file");
  return file;
}

/** Credentials as a client with these settings finds them. */
function found(settings: StsSettings): CredentialProvider {
  return new STSClient({ ...settings, ...connections(), logger: silent }).config.credentials;
}

/** The SDK warns on standard error where there is a profile beside a key in the environment, and follows the profile. */
const silent = { debug() {}, info() {}, warn() {}, error() {} };

function variants(settings: Settings) {
  const is = (name: string) => String(settings[name]) === "true";
  return {
    ...(is("useFipsEndpoint") && { useFipsEndpoint: true }),
    ...(is("useDualstackEndpoint") && { useDualstackEndpoint: true }),
  };
}

function endpointsOf(settings: Settings): Record<string, string> {
  const all: Settings = Object.assign({}, ...objects(settings, "endpoints"));
  return Object.fromEntries(
    Object.keys(all).flatMap((service) => {
      const url = text(all, service);
      return url === undefined ? [] : [[service, url]];
    }),
  );
}
