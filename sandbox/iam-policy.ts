/**
 * The IAM policy that a record of AWS calls comes to (`GET /sandbox/calls` of the sandbox's cloud).
 * https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
export interface Policy {
  readonly Version: "2012-10-17";
  readonly Statement: readonly Statement[];
}

interface Statement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Action: readonly string[];
  readonly Resource: string;
}

/** Where IAM's prefix is not the name that a service's calls are signed with. */
const prefixes: Readonly<Record<string, string>> = { monitoring: "cloudwatch" };

/** A transaction needs the actions of its parts. */
const parts: Readonly<Record<string, readonly string[]>> = {
  "dynamodb:TransactWriteItems": ["dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
};

/** Actions for tagging, which creating with tags needs although they are never called by themselves. */
const tagging: Readonly<Record<string, string>> = {
  ec2: "ec2:CreateTags",
  elasticloadbalancing: "elasticloadbalancing:AddTags",
  dynamodb: "dynamodb:TagResource",
  rds: "rds:AddTagsToResource",
  autoscaling: "autoscaling:CreateOrUpdateTags",
};

/** @param calls `ec2.RunInstances`, … as the sandbox's cloud records them */
export function actionsOf(calls: readonly string[]): string[] {
  const actions = calls.flatMap((call) => {
    const [service = "", operation = ""] = call.split(".");
    const action = `${prefixes[service] ?? service}:${operation}`;
    const tag = /^(Create|Run|Allocate)/.test(operation) ? tagging[service] : undefined;
    return [...(parts[action] ?? [action]), ...(tag === undefined ? [] : [tag])];
  });
  return [...new Set(actions)].sort();
}

export function policyOf(calls: readonly string[]): Policy {
  const actions = actionsOf(calls);
  const isLedger = (action: string) => action.startsWith("dynamodb:") && !action.startsWith("dynamodb:List");
  const isSecrets = (action: string) => action.startsWith("kms:");
  const reads = (action: string) => /:(Describe|Get|List|Filter)/.test(action);
  const statement = (Sid: string, Resource: string, Action: readonly string[]): Statement => {
    return { Sid, Effect: "Allow", Action, Resource };
  };
  const rest = actions.filter((action) => !isLedger(action) && !isSecrets(action));
  return {
    Version: "2012-10-17",
    Statement: [
      statement("Read", "*", rest.filter(reads)),
      statement(
        "Change",
        "*",
        rest.filter((action) => !reads(action)),
      ),
      statement("Ledger", "arn:aws:dynamodb:*:*:table/handover-*", actions.filter(isLedger)),
      statement("Secrets", "arn:aws:kms:*:*:key/*", actions.filter(isSecrets)),
    ],
  };
}
