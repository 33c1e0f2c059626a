import type { Outputs } from "../../stacks/outputs.ts";
import type { Aws } from "../cloud/aws.ts";
import type { DocumentOf } from "../documents/documents.ts";

export type GenerationStatus = DocumentOf<"status">["generations"][string];

/** A generation as the last update left it, with what AWS shows now: its servers' health, and its array. */
export async function generationStatus(
  aws: Pick<Aws, "targetHealth" | "instanceStatuses"> & { readonly arrays: Pick<Aws["arrays"], "find"> },
  { targetGroupArn, weight, frontends, array }: Outputs["generations"][string],
): Promise<GenerationStatus> {
  const [statuses, targets, arrayNow] = await Promise.all([
    aws.instanceStatuses(frontends.map(({ instanceId }) => instanceId)),
    aws.targetHealth(targetGroupArn),
    array && aws.arrays.find(array.name),
  ]);
  const healthOf = (instanceId: string) => {
    const target = targets.get(instanceId);
    return target === undefined ? "not registered" : (target.TargetHealth?.State ?? "unknown");
  };
  return {
    weight,
    frontends: frontends.map((frontend) => ({
      ...frontend,
      state: statuses.get(frontend.instanceId)?.InstanceState?.Name ?? "not found",
      health: healthOf(frontend.instanceId),
    })),
    ...(array !== undefined && {
      array:
        arrayNow === undefined
          ? null
          : {
              name: array.name,
              ...arrayNow,
              suspendedProcesses: arrayNow.suspendedProcesses.toSorted(),
              servers: arrayNow.servers.map(({ instanceId, lifecycleState }) => ({
                instanceId,
                lifecycleState,
                health: healthOf(instanceId),
              })),
            },
    }),
  };
}

export function generationLines(name: string, { weight, frontends, array }: GenerationStatus): string[] {
  return [
    `${name}: ${weight}% of the traffic`,
    ...frontends.map(({ name: server, instanceId, privateIp, state, health }) =>
      [`  ${server}`, instanceId, privateIp, ...(state === "running" ? [] : [state]), health].join("  "),
    ),
    ...(array === null ? ["  its array is missing in AWS"] : []),
    ...(array ? arrayLines(array) : []),
  ];
}

function arrayLines({ name, minSize, maxSize, desiredCapacity, suspendedProcesses, servers }: ArrayStatus): string[] {
  const suspended = suspendedProcesses.length === 0 ? "" : `; suspended: ${suspendedProcesses.join(", ")}`;
  return [
    `  array ${name}: ${servers.length} servers, wants ${desiredCapacity} (${minSize} to ${maxSize})${suspended}`,
    ...servers.map((each) => `    ${each.instanceId}  ${each.lifecycleState}  ${each.health}`),
  ];
}

type ArrayStatus = NonNullable<GenerationStatus["array"]>;
