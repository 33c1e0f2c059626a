import { type Explanation, exitCodes, HandoverError } from "../errors.ts";

/** Why something could not be seen or done. None of it is evidence of a server, so a run waits, and nothing goes back. */
export type NotSeen = "unreachable" | "credentials" | "denied" | "throttled" | "unavailable";

/** Work that comes before the next command, by what is missing. */
export const remedies: Readonly<Record<NotSeen, string>> = {
  unreachable:
    "Find out why it cannot be reached from here (name, route, firewall, HTTPS_PROXY and NO_PROXY), or go on from where it can be",
  credentials:
    "Provide credentials that are valid and last, for example: aws sso login; check them with: aws sts get-caller-identity",
  denied:
    "Have the actions of docs/iam-policy.json allowed again, also by the policies that may deny them, or use credentials that have them",
  throttled: "Wait until AWS takes as many requests again; others in the account may send many",
  unavailable: "Wait until AWS answers again; see https://health.aws.amazon.com",
};

/** Something could not be seen: AWS, a server, the engine's backend. Exit 3. */
export class NotSeenError extends HandoverError {
  readonly notSeen: NotSeen;

  constructor(notSeen: NotSeen, explanation: Explanation, options?: ErrorOptions) {
    super("not-seen", exitCodes.paused, explanation, options);
    this.notSeen = notSeen;
  }
}

/**
 * Codes and names of errors, as Node, AWS's SDKs and its services have them.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
 * https://docs.aws.amazon.com/awssupport/latest/user/CommonErrors.html
 */
const names: Readonly<Record<NotSeen, RegExp>> = {
  credentials:
    /^(ExpiredToken\w*|RequestExpired|InvalidClientTokenId|UnrecognizedClient\w*|SignatureDoesNotMatch|InvalidSignature\w*|AuthFailure|InvalidAccessKeyId|InvalidToken|MissingAuthenticationToken\w*|IncompleteSignature\w*|RequestTimeTooSkewed|(CredentialsProvider|TokenProvider|Provider)Error|TokenRefreshRequired\w*|UnauthorizedSSOToken\w*|InvalidIdentityToken\w*|IDPCommunicationError\w*|InvalidGrantException|SSOTokenProviderFailure|NoCredentialProviders)$/,
  // Going back needs most of what going on does.
  denied: /^(AccessDenied\w*|UnauthorizedOperation|AuthorizationError\w*|NotAuthorized\w*)$/,
  throttled:
    /^(Throttl\w*|RequestLimitExceeded|RequestThrottled\w*|EC2Throttled\w*|TooManyRequests\w*|SlowDown|BandwidthLimitExceeded|ProvisionedThroughputExceeded\w*|PriorRequestNotComplete|TransactionInProgress\w*)$/,
  unavailable:
    /^(ServiceUnavailable\w*|Unavailable|InternalError|InternalFailure\w*|InternalServer(Error|Exception)|InternalService(Error|Fault|Exception)|InternalServerErrorException|ServerInternal|KMSInternalException|DependencyTimeoutException)$/,
  unreachable:
    /^(EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|ETIMEDOUT|ENOTFOUND|EAI_\w+|ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|EADDRNOTAVAIL|ERR_PROXY_\w+|ERR_SOCKET_CONNECTION_TIMEOUT|ERR_STREAM_PREMATURE_CLOSE|ERR_TLS_HANDSHAKE_TIMEOUT|UND_ERR_((CONNECT|HEADERS|BODY)_TIMEOUT|SOCKET|PRX_TLS)|TimeoutError|RequestTimeout(Exception)?|NetworkingError)$/,
};

/** What the engine, its plugins and AWS's SDK for Go make of the same. */
const phrases: Readonly<Record<NotSeen, RegExp>> = {
  credentials:
    /no valid credential sources|unable to validate AWS credentials|validating provider credentials|failed to refresh cached credentials|static credentials are empty|security token included in the request is (expired|invalid)|could not load credentials|NoCredentialProviders|(token|credentials|session) (has|have|is|are) (expired|invalid)|SSO session (associated with this profile )?has expired|loading SSO token|refresh cached SSO token|failed to (retrieve|get|refresh) (\w+ )?credentials|failed to get shared config profile|IAM Role \(.*\) cannot be assumed|cannot assume IAM role/i,
  denied: /is not authorized to perform: \w+:\w+/i,
  throttled: /rate exceeded|retry quota exceeded/i,
  unavailable: /\b(api error |^|: )Unavailable: /m,
  unreachable:
    /StatusCode: (0|407),|request send failed|no such host|no route to host|network is unreachable|i\/o timeout|TLS handshake timeout|proxyconnect tcp|Proxy Authentication Required|dial tcp|temporary failure in name resolution|connect: connection refused|connection reset by peer|broken pipe|server misbehaving|http2: client connection lost|awaiting headers|x509: certificate|tls: failed to verify certificate/i,
};

/** In this order: what lies at the bottom of an error that is several of them. */
const kinds: readonly NotSeen[] = ["credentials", "denied", "throttled", "unreachable", "unavailable"];

/** Why an error says nothing of the site, from the error itself or what caused it; undefined when it may say something. */
export function notSeenIn(error: unknown, depth = 0): NotSeen | undefined {
  if (!(error instanceof Error) || depth > 8) return undefined;
  if (error instanceof NotSeenError) return error.notSeen;
  const { code, cause, errors, $metadata } = error as Details;
  const words = [error.name, code].filter((word) => typeof word === "string");
  const own = kinds.find((kind) => words.some((word) => names[kind].test(word)));
  if (own !== undefined) return own;
  // AWS never answers 407, and what a proxy answers in its place is not of AWS's form.
  const status = $metadata?.httpStatusCode;
  if (status === 407 || (status !== undefined && status >= 400 && isNoAnswerOfAws(error))) return "unreachable";
  return notSeenIn(cause, depth + 1) ?? errors?.map((each) => notSeenIn(each, depth + 1)).find((kind) => kind);
}

interface Details {
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** The SDK's names of an answer that it cannot read. */
function isNoAnswerOfAws({ name }: Error): boolean {
  return ["SyntaxError", "UnknownError", "Unknown", "403", "407", "502", "503", "504"].includes(name);
}

/**
 * Whether a server that was asked could not be: no route, no name, no word back, or a proxy in between. A refused
 * connection is an answer of the server's own.
 */
export function isUnreachable(error: unknown): boolean {
  const code = (error as { readonly code?: unknown }).code;
  return (
    error instanceof NotSeenError ||
    /^(E(HOST|NET)(UNREACH|DOWN)|ETIMEDOUT|EADDRNOTAVAIL|ENOTFOUND|EAI_\w+|UND_ERR_CONNECT_TIMEOUT)$/.test(String(code))
  );
}

/** The same of what the engine says went wrong: its errors are text. */
export function notSeenInText(text: string): NotSeen | undefined {
  const words = text.match(/[A-Za-z_]\w+/g) ?? [];
  return kinds.find((kind) => phrases[kind].test(text) || words.some((word) => isCode(word) && names[kind].test(word)));
}

/** Not a word of a sentence: "Unavailable" and "Throttling" are codes only where AWS's SDK says so. */
function isCode(word: string): boolean {
  return /[a-z][A-Z]|^E[A-Z_]+$|^Throttling$|^Throttled$/.test(word);
}
