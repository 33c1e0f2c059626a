import { types } from "../../stacks/names.ts";
import { siteName } from "../../stacks/tags.ts";
import type { Aws } from "../cloud/aws.ts";
import { backendName } from "../engine/backend.ts";
import type { Deployment } from "../engine/deployment.ts";
import type { State } from "../engine/state.ts";
import { exitCodes, HandoverError } from "../errors.ts";

/** A stack that was never deployed, as far as its backend knows. */
export interface Undeployed {
  readonly stack: string;
  readonly region: string;
  readonly aws: Pick<Aws, "findCreated">;
  readonly engine: { readonly state: Pick<State, "export"> };
}

/**
 * Nothing of the site is there, unless this stack's own first deployment was cut off: else another backend has the site,
 * and a second one would share its table, and lose it with the first `pulumi destroy`.
 * @throws HandoverError (exit 1) before anything is created
 */
export async function checkOneSite({ stack, region, aws, engine }: Undeployed, signal?: AbortSignal): Promise<void> {
  const deployment = await engine.state.export();
  const begun = [
    ...(deployment.resources ?? []),
    ...(deployment.pending_operations ?? []).map(({ resource }) => resource),
  ];
  const others = await Promise.all([
    hasTable(begun) ? [] : aws.findCreated(types.table, { name: siteName(stack) }, signal),
    tagged(begun, types.vpc, { stack, aws }, signal),
    tagged(begun, types.instance, { stack, aws }, signal),
  ]);
  const [table = [], ...rest] = others;
  const found = [...(table ?? []).map((name) => `table ${name}`), ...rest.flatMap((ids) => ids ?? [])];
  if (found.length === 0) return;
  throw new HandoverError("another-site", exitCodes.usage, {
    happened: `Stack "${stack}" is empty in ${backendName()}, but its site is there in ${region}: ${found.slice(0, 5).join(", ")}`,
    state: "Nothing was changed",
    first:
      "Another backend has its state: name that one with PULUMI_BACKEND_URL, `backend` in Pulumi.yaml or pulumi login. For a second site, give the stack another name",
  });
}

function hasTable(begun: NonNullable<Deployment["resources"]>): boolean {
  return begun.some(({ type }) => type === types.table);
}

/** Ids of what has the site's tag and is not in the state. One that was in the making may not be there by its id. */
async function tagged(
  begun: NonNullable<Deployment["resources"]>,
  type: string,
  { stack, aws }: Pick<Undeployed, "stack" | "aws">,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  if (begun.some((resource) => resource.type === type || resource.type === types.table)) return [];
  return (await aws.findCreated(type, { tags: { "handover:site": siteName(stack) } }, signal)) ?? [];
}
