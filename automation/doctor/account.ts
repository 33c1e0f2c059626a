import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { Access } from "../cloud/access.ts";
import { briefly } from "../cloud/client-settings.ts";
import { notSeenIn } from "../cloud/not-seen.ts";
import { codeOf, type Finding, ok, problem, reasonOf, skipped } from "./finding.ts";

/** AWS refuses a signature that is off by five minutes; the lease corrects clocks, and wants them near all the same. */
const mostSkewSeconds = 60;

/** Who AWS takes us for, and how its clock and ours differ: one call, which needs no permission. */
export async function checkAccount(access: Access): Promise<readonly [credentials: Finding, clock: Finding]> {
  const { region } = access;
  const sts = new STSClient(briefly(access, "sts", 2));
  let date: string | undefined;
  let asked = 0;
  let answered = 0;
  sts.middlewareStack.add(
    (next) => async (args) => {
      asked = Date.now();
      const result = await next(args);
      answered = Date.now();
      date = (result.response as { headers?: Record<string, string> }).headers?.date;
      return result;
    },
    { step: "deserialize", name: "readServiceTime" },
  );
  try {
    const { Arn, Account } = await sts.send(new GetCallerIdentityCommand({}));
    return [ok("credentials", `account ${Account}, ${Arn}`), checkClock(date, (asked + answered) / 2)];
  } catch (error) {
    return [problem("credentials", mend(error, region)), skipped("clock", "AWS did not answer")];
  } finally {
    sts.destroy();
  }
}

/**
 * @param date the answer's `Date` header, in whole seconds
 * @param now milliseconds since 1970, by this machine's clock, when the answer was made
 */
export function checkClock(date: string | undefined, now: number): Finding {
  const told = Date.parse(date ?? "");
  if (Number.isNaN(told)) return skipped("clock", "AWS's answer had no time in it");
  const skew = Math.round((now - told) / 1000);
  if (Math.abs(skew) <= mostSkewSeconds) return ok("clock", `${Math.abs(skew)} s from AWS's`);
  return problem(
    "clock",
    `this machine's clock is ${Math.abs(skew)} s ${skew > 0 ? "ahead of" : "behind"} AWS's, which refuses signatures that are off by 300 s; set it, for example: sudo timedatectl set-ntp true`,
  );
}

function mend(error: unknown, region: string): string {
  const reason = reasonOf(error);
  const notSeen = notSeenIn(error);
  if (codeOf(error) === "CredentialsProviderError")
    return `there are none (${reason}); set AWS_PROFILE, or log in, for example: aws sso login`;
  if (/^(ExpiredToken(Exception)?|RequestExpired|TokenRefreshRequired)$/.test(codeOf(error)))
    return `they have expired; log in again, for example: aws sso login`;
  if (notSeen === "unreachable")
    return `AWS cannot be reached in ${region} (${reason}); check the network, HTTPS_PROXY and NO_PROXY, and aws:region in the stack's file`;
  if (notSeen !== undefined && notSeen !== "credentials") return `AWS did not say (${reason}); try again`;
  return `AWS refused them: ${reason}; check AWS_PROFILE and AWS_ACCESS_KEY_ID with: aws sts get-caller-identity`;
}
