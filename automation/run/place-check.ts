import type { LastOutputs } from "../../stacks/outputs.ts";
import { type Access, accountProblem } from "../cloud/access.ts";
import type { Aws } from "../cloud/aws.ts";
import type { Engine } from "../engine/engine.ts";
import { exitCodes, HandoverError, toType } from "../errors.ts";

/** What tells where a stack's site is, and where its engine and its driver work. */
export interface Places {
  readonly stack: string;
  readonly access: Access;
  readonly aws: Pick<Aws, "identity">;
  readonly engine: Pick<Engine, "account">;
  readonly last: LastOutputs | undefined;
}

/**
 * Driver, engine and site are in one account and region: else a gate would look at one site, and the engine would work
 * on another.
 * @returns the account
 * @throws HandoverError (exit 1) before anything is changed
 */
export async function checkPlace(places: Places, signal: AbortSignal): Promise<string> {
  const { aws, engine, access, last, stack } = places;
  const [{ account, arn }, ofEngine] = await Promise.all([aws.identity(signal), engine.account(signal)]);
  const who = `account ${account} (${arn})`;
  const mayNot = accountProblem(access, account);
  if (mayNot !== undefined) throw elsewhere(`The credentials are of ${who}, where the plugin may not work: ${mayNot}`);
  if (ofEngine !== account)
    throw elsewhere(
      `Handover's own calls go to ${who}, and the engine's plugin works in account ${ofEngine}`,
      `Let both have the same credentials: from the environment, or from aws:* in Pulumi.${stack}.yaml, which holds for both`,
    );
  const site = last && placeOfSite(last.outputs.loadBalancer.arn);
  if (site !== undefined && site.account !== account)
    throw elsewhere(`The site is in account ${site.account}, and the credentials are of ${who}`);
  if (site !== undefined && site.region !== access.region)
    throw elsewhere(
      `The site is in ${site.region}, and Pulumi.${stack}.yaml or the environment says ${access.region}`,
      `Set aws:region to ${site.region}; another region is a site of its own, in a stack of its own`,
    );
  return account;

  function elsewhere(happened: string, first = "Use the credentials of the site's account"): HandoverError {
    const rest = { state: "Nothing was changed", first, next: toType("doctor", stack) };
    return new HandoverError("another-place", exitCodes.usage, { happened, ...rest });
  }
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
function placeOfSite(arn: string): { readonly region: string; readonly account: string } | undefined {
  const [, , , region = "", account = ""] = arn.split(":");
  return /^\d{12}$/.test(account) ? { region, account } : undefined;
}
