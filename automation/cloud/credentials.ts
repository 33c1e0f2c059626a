export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly expiration?: Date | undefined;
}

type Ending = Pick<Credentials, "expiration"> & { readonly $source?: object };
type Provider<Given extends Ending> = (options?: { forceRefresh?: boolean }) => Promise<Given>;

/** Credentials that are asked for when they are needed, and again when they end. */
export interface CredentialProvider extends Provider<Credentials> {
  /** Those that assume the role whose session they are. */
  readonly source?: Provider<Ending> | undefined;
}

/** AWS renews a server's and a task's own before they end, and not before. */
const renewed = ["CREDENTIALS_IMDS", "CREDENTIALS_HTTP"];
const enoughMilliseconds = 60 * 60_000;

/**
 * When credentials end for good: those that end within the hour are asked for once more. Undefined where they do not say
 * so, or are renewed by themselves.
 */
export async function credentialsEnd(
  provider: Provider<Ending> & Pick<CredentialProvider, "source">,
): Promise<Date | undefined> {
  const isEarly = ({ expiration }: Ending) =>
    expiration !== undefined && expiration.getTime() - Date.now() < enoughMilliseconds;
  const known = await provider();
  const { expiration, $source = {} } = isEarly(known) ? await provider({ forceRefresh: true }) : known;
  const isRenewed = renewed.some((source) => source in $source);
  if (isRenewed || expiration === undefined || provider.source === undefined) return isRenewed ? undefined : expiration;
  // A role is assumed again as long as those are valid that may.
  const end = await credentialsEnd(provider.source);
  return end === undefined || end > expiration ? end : expiration;
}
