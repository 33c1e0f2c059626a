import { type IdentifyConfig, said } from "../../stacks/config/identify.ts";
import type { Config } from "../../stacks/config.ts";
import type { Answer } from "../cloud/http.ts";
import { valueAt } from "../cloud/json-path.ts";

/** What an answer says of who gave it. */
export interface Signature {
  /** The generation that says this, where one of the run's does. */
  readonly generation?: string | undefined;
  /** As it stands in the answer; it may be a secret. */
  readonly says: string;
}

/** Tells which generation gave an answer. */
export interface Identity {
  /** Page that says it. Default: any may. */
  readonly path?: string;
  /** Names the place in an answer, for messages. */
  readonly where: string;
  /** Undefined where the answer says nothing, or what both generations say. */
  of(answer: Answer): Signature | undefined;
  /** Whether the answer has the place at all. */
  isSigned(answer: Answer): boolean;
}

/** As Handover's own sample application does it: the generation's name in a header. */
export const byHeader: Identity = {
  where: "header x-generation",
  of: ({ headers }) => {
    const says = headers["x-generation"]?.toString();
    return says === undefined ? undefined : { generation: says, says };
  },
  isSigned: ({ headers }) => headers["x-generation"] !== undefined,
};

/** The way in which the site's own application says it (`handover:upgrade.identify`). */
export function identityOf({ config, from, to }: { config: Config; from: string; to: string }): Identity {
  const { identify } = config.upgrade;
  if (identify === undefined) return byHeader;
  const says = new Map(
    [from, to].flatMap((name) => {
      const generation = config.generations[name];
      return generation === undefined ? [] : [[name, said(identify.equals, generation)] as const];
    }),
  );
  const read = reader(identify);
  return {
    path: identify.path ?? config.site.loadBalancer.healthCheck.path,
    where: `${whereOf(identify)} (handover:upgrade.identify)`,
    of(answer) {
      const text = read(answer);
      if (text === undefined) return undefined;
      const [generation, ...others] = [...says].flatMap(([name, own]) => (own === text ? [name] : []));
      return others.length > 0 ? undefined : { generation, says: text };
    },
    isSigned: (answer) => read(answer) !== undefined,
  };
}

function reader({ header, json, body }: IdentifyConfig): (answer: Answer) => string | undefined {
  if (header !== undefined) return ({ headers }) => headers[header.toLowerCase()]?.toString().trim();
  if (json !== undefined) {
    return (answer) => {
      const value = valueAt(answer.body, json);
      return typeof value === "object" || value === undefined ? undefined : String(value);
    };
  }
  const pattern = new RegExp(body ?? "", "u");
  return (answer) => {
    const [whole, group] = pattern.exec(answer.body) ?? [];
    return group ?? whole;
  };
}

function whereOf({ header, json, body }: IdentifyConfig): string {
  if (header !== undefined) return `header ${header}`;
  return json !== undefined ? `${json} of the JSON body` : `a body like ${body}`;
}
