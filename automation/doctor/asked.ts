import { httpCheckOf } from "../../stacks/config/checks.ts";
import type { Config } from "../../stacks/config.ts";
import type { LastOutputs } from "../../stacks/outputs.ts";
import { ask } from "../cloud/http.ts";
import { differenceOf } from "../gates/expectation.ts";
import { type Finding, ok, problem, reasonOf, skipped } from "./finding.ts";

const timeLimitMilliseconds = 20_000;

/** Asks once for every page that a run would compare the generations by: one that fails already compares nothing. */
export async function checkAsked(
  { upgrade: { probe } }: Pick<Config, "upgrade">,
  last: Pick<LastOutputs, "outputs"> | undefined,
  asked = ask,
): Promise<Finding[]> {
  if (last === undefined || !probe.enabled) return [];
  const { loadBalancer, hostname, live } = last.outputs;
  const { protocol, dnsName, port } = loadBalancer;
  const place = { protocol, address: dnsName, name: dnsName, port, host: hostname };
  const signal = AbortSignal.timeout(timeLimitMilliseconds);
  return Promise.all(
    probe.paths.map(async (path): Promise<Finding> => {
      const check = `probe ${path}`;
      const page = { ...httpCheckOf({ path }), matcher: "200-399" };
      try {
        const answer = await asked({ ...place, path }, signal);
        const difference = differenceOf(page, answer, (text) => text);
        if (difference === undefined) return ok(check, `${live} answers ${answer.status}`);
        return problem(
          check,
          `${live} answers ${answer.status} already, so nothing could be compared by it; correct handover:upgrade.probe.paths`,
        );
      } catch (error) {
        return skipped(check, `${reasonOf(error)}; a run that cannot reach the site does not begin`);
      }
    }),
  );
}
