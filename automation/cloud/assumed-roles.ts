import { readFileSync } from "node:fs";
import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { connections } from "./client-settings.ts";
import type { CredentialProvider, Credentials } from "./credentials.ts";
import { retries } from "./retries.ts";
import { objects, SettingError, type Settings, text, texts } from "./setting-values.ts";

export type StsSettings = ConstructorParameters<typeof STSClient>[0];

/** Sessions of a role that credentials may assume: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
export function assumed(role: Settings, source: CredentialProvider, sts: StsSettings): CredentialProvider {
  const [tags = {}] = objects(role, "tags");
  const command = new AssumeRoleCommand({
    ...sessionOf(role, "assumeRoles"),
    ExternalId: text(role, "externalId"),
    SourceIdentity: text(role, "sourceIdentity"),
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value: String(Value) })),
    TransitiveTagKeys: texts(role, "transitiveTagKeys"),
  });
  return renewed({ ...sts, credentials: source }, (client) => client.send(command), source);
}

/** The same of who has a token: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
export function identity(given: Settings, sts: StsSettings): CredentialProvider {
  const session = sessionOf(given, "assumeRoleWithWebIdentity");
  const file = text(given, "webIdentityTokenFile") ?? "";
  // Whoever wrote the file may write a newer one.
  const token = () => text(given, "webIdentityToken") ?? readFileSync(file, "utf8").trim();
  return renewed(sts, (client) =>
    client.send(new AssumeRoleWithWebIdentityCommand({ ...session, WebIdentityToken: token() })),
  );
}

function sessionOf(role: Settings, setting: string) {
  const RoleArn = text(role, "roleArn");
  if (RoleArn === undefined) throw new SettingError(setting, "has no roleArn");
  const [duration, policy] = [text(role, "duration"), text(role, "policy")];
  const policies = texts(role, "policyArns");
  return {
    RoleArn,
    RoleSessionName: text(role, "sessionName") ?? "handover",
    ...(duration !== undefined && { DurationSeconds: secondsOf(duration, setting) }),
    ...(policy !== undefined && { Policy: policy }),
    ...(policies.length > 0 && { PolicyArns: policies.map((arn) => ({ arn })) }),
  };
}

/** A duration as Go has it, `1h30m`. */
function secondsOf(duration: string, setting: string): number {
  const [, hours = "0", minutes = "0", seconds = "0"] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(duration) ?? [];
  const total = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  if (total === 0) throw new SettingError(setting, `duration ${duration} is none; write for example 1h`);
  return total;
}

interface Answer {
  readonly Credentials?: {
    readonly AccessKeyId: string | undefined;
    readonly SecretAccessKey: string | undefined;
    readonly SessionToken: string | undefined;
    readonly Expiration: Date | undefined;
  };
}

/** A session is renewed this long before it ends, as the SDK does. */
const earlyMilliseconds = 5 * 60_000;

/** A role's session, one for all clients, begun anew before it ends. */
function renewed(
  settings: StsSettings,
  begin: (client: STSClient) => Promise<Answer>,
  source?: CredentialProvider,
): CredentialProvider {
  let current: Promise<Credentials> | undefined;
  const start = async (): Promise<Credentials> => {
    const client = new STSClient({ ...settings, ...retries(), ...connections() });
    try {
      const { Credentials: given } = await begin(client);
      return {
        accessKeyId: given?.AccessKeyId ?? "",
        secretAccessKey: given?.SecretAccessKey ?? "",
        sessionToken: given?.SessionToken,
        expiration: given?.Expiration,
      };
    } finally {
      client.destroy();
    }
  };
  const provider = async ({ forceRefresh = false } = {}) => {
    const before = current;
    const known = await before?.catch(() => undefined);
    const isLate = known?.expiration !== undefined && known.expiration.getTime() - Date.now() < earlyMilliseconds;
    // Another client may have begun it meanwhile.
    if (current === before && (known === undefined || isLate || forceRefresh)) current = start();
    return (current ?? start()) as Promise<Credentials>;
  };
  return Object.assign(provider, { source });
}
