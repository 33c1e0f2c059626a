/** The load balancer's cookie for a target, and the one for a target group. */
export const targetCookie = "AWSALB";
export const groupCookie = "AWSALBTG";

/** The browser keeps the cookie for a week; how long the load balancer honours it is written inside. */
const browserMilliseconds = 7 * 24 * 3600 * 1000;

/** The value of one cookie in a Cookie header. */
function readCookie(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(";") ?? []) {
    const separator = pair.indexOf("=");
    if (separator > 0 && pair.slice(0, separator).trim() === name) return pair.slice(separator + 1).trim();
  }
  return undefined;
}

/**
 * A Set-Cookie header that binds a client to `subject`. The load balancer renews it with every response.
 * AWS encrypts what ours only encodes.
 * @param subject a target group's ARN, or a target's key.
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html
 */
export function stickyCookie(name: string, subject: string, durationSeconds: number, now: number): string {
  const value = Buffer.from(JSON.stringify({ subject, until: now + durationSeconds * 1000 })).toString("base64url");
  return `${name}=${value}; Expires=${new Date(now + browserMilliseconds).toUTCString()}; Path=/`;
}

/** Decodes what a client's cookie binds it to; undefined if there is none, it has expired, or cannot be decoded. */
export function stuckTo(header: string | undefined, name: string, now: number): string | undefined {
  const value = readCookie(header, name);
  if (value === undefined) return undefined;
  try {
    const { subject, until } = JSON.parse(Buffer.from(value, "base64url").toString()) as Record<string, unknown>;
    return typeof subject === "string" && typeof until === "number" && until > now ? subject : undefined;
  } catch {
    return undefined;
  }
}
