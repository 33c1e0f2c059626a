type Provider = (options?: { forceRefresh?: boolean }) => Promise<Credentials>;
interface Credentials {
  readonly expiration?: Date;
  readonly $source?: object;
}

/** AWS renews a server's and a task's own before they end, and not before. */
const renewed = ["CREDENTIALS_IMDS", "CREDENTIALS_HTTP"];
const enoughMilliseconds = 60 * 60_000;

/**
 * When credentials end for good: those that end within the hour are asked for once more. Undefined where they do not say
 * so, or are renewed by themselves.
 */
export async function credentialsEnd(provider: Provider): Promise<Date | undefined> {
  const isEarly = ({ expiration }: Credentials) =>
    expiration !== undefined && expiration.getTime() - Date.now() < enoughMilliseconds;
  const known = await provider();
  const { expiration, $source = {} } = isEarly(known) ? await provider({ forceRefresh: true }) : known;
  return renewed.some((source) => source in $source) ? undefined : expiration;
}
