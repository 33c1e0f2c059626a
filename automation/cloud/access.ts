import type { CredentialProvider } from "./credentials.ts";

/**
 * The place where AWS is asked, and as whom: what the stack's file tells the engine's plugin, which the driver's own calls
 * follow too (plugin-settings.ts). What is left out comes from the SDK's usual environment, as it does for the plugin.
 */
export interface Access {
  readonly region: string;
  /** Undefined: the environment's. */
  readonly credentials?: CredentialProvider;
  /** By the plugin's names of the services. */
  readonly endpoints: Readonly<Record<string, string>>;
  readonly useFipsEndpoint?: boolean;
  readonly useDualstackEndpoint?: boolean;
  readonly allowedAccountIds?: readonly string[];
  readonly forbiddenAccountIds?: readonly string[];
  /** Values that must not be seen anywhere. */
  readonly secrets: readonly string[];
}

/** AWS in a region, with what the environment says. */
export function accessTo(region: string): Access {
  return { region, endpoints: {}, secrets: [] };
}

/** Names of services, with those under which the plugin takes an endpoint: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/custom-service-endpoints */
const services = {
  autoscaling: ["autoscaling"],
  cloudwatch: ["cloudwatch"],
  dynamodb: ["dynamodb"],
  ec2: ["ec2"],
  elbv2: ["elbv2", "elasticloadbalancingv2", "elb"],
  logs: ["logs", "cloudwatchlogs"],
  rds: ["rds"],
  servicequotas: ["servicequotas"],
  ssm: ["ssm"],
  sts: ["sts"],
} as const;

export type Service = keyof typeof services;

/** Settings of a client of AWS's SDK that say where it asks, and as whom. */
export interface Identified {
  readonly region: string;
  readonly credentials?: CredentialProvider;
  readonly endpoint?: string;
  readonly useFipsEndpoint?: boolean;
  readonly useDualstackEndpoint?: boolean;
}

export function identified(access: Omit<Access, "secrets">, service: Service): Identified {
  const { region, credentials, endpoints, useFipsEndpoint, useDualstackEndpoint } = access;
  const endpoint = services[service].map((name) => endpoints[name]).find((url) => url !== undefined);
  return {
    region,
    ...(credentials !== undefined && { credentials }),
    ...(endpoint !== undefined && { endpoint }),
    ...(useFipsEndpoint !== undefined && { useFipsEndpoint }),
    ...(useDualstackEndpoint !== undefined && { useDualstackEndpoint }),
  };
}

/** Why the plugin would not work in this account; undefined when it may. */
export function accountProblem(
  { allowedAccountIds, forbiddenAccountIds }: Pick<Access, "allowedAccountIds" | "forbiddenAccountIds">,
  account: string,
): string | undefined {
  if (allowedAccountIds !== undefined && !allowedAccountIds.includes(account))
    return `aws:allowedAccountIds: ${account} is not one of ${allowedAccountIds.join(", ")}`;
  if (forbiddenAccountIds?.includes(account)) return `aws:forbiddenAccountIds: ${account} is one of them`;
  return undefined;
}
