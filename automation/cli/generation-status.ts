import { type Outputs, targetsOf } from "../../stacks/outputs.ts";
import type { Aws } from "../cloud/aws.ts";
import type { DocumentOf } from "../documents/documents.ts";

export type GenerationStatus = DocumentOf<"status">["generations"][string];

/** A generation as the last update left it, with what AWS shows now: its servers' health, and its array. */
export async function generationStatus(
  aws: Pick<Aws, "targetHealth" | "instanceStatuses"> & { readonly arrays: Pick<Aws["arrays"], "find"> },
  generation: Outputs["generations"][string],
): Promise<GenerationStatus> {
  const { weight, frontends, array } = generation;
  const [statuses, arrayNow, targets, ...others] = await Promise.all([
    aws.instanceStatuses(frontends.map(({ instanceId }) => instanceId)),
    array && aws.arrays.find(array.name),
    ...targetsOf(generation).map(async ({ entry, targetGroupArn }) => {
      return { entry, health: await aws.targetHealth(targetGroupArn) };
    }),
  ]);
  const stateIn = (group: typeof targets | undefined, instanceId: string) => {
    const target = group?.health.get(instanceId);
    return target === undefined ? "not registered" : (target.TargetHealth?.State ?? "unknown");
  };
  const healthOf = (instanceId: string) => ({
    health: stateIn(targets, instanceId),
    ...(others.length > 0 && {
      entries: Object.fromEntries(others.map((group) => [group.entry ?? "", stateIn(group, instanceId)])),
    }),
  });
  return {
    weight,
    frontends: frontends.map((frontend) => ({
      ...frontend,
      state: statuses.get(frontend.instanceId)?.InstanceState?.Name ?? "not found",
      ...healthOf(frontend.instanceId),
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
                ...healthOf(instanceId),
              })),
            },
    }),
  };
}

export function generationLines(name: string, { weight, frontends, array }: GenerationStatus): string[] {
  return [
    `${name}: ${weight}% of the traffic`,
    ...frontends.map(({ name: server, instanceId, privateIp, state, ...shown }) =>
      [`  ${server}`, instanceId, privateIp, ...(state === "running" ? [] : [state]), healthLine(shown)].join("  "),
    ),
    ...(array === null ? ["  its array is missing in AWS"] : []),
    ...(array ? arrayLines(array) : []),
  ];
}

function arrayLines({ name, minSize, maxSize, desiredCapacity, suspendedProcesses, servers }: ArrayStatus): string[] {
  const suspended = suspendedProcesses.length === 0 ? "" : `; suspended: ${suspendedProcesses.join(", ")}`;
  return [
    `  array ${name}: ${servers.length} servers, wants ${desiredCapacity} (${minSize} to ${maxSize})${suspended}`,
    ...servers.map((each) => `    ${each.instanceId}  ${each.lifecycleState}  ${healthLine(each)}`),
  ];
}

/** `healthy`, and where there are further entries each of them: `healthy, admin: unhealthy`. */
function healthLine({
  health,
  entries = {},
}: Pick<GenerationStatus["frontends"][number], "health" | "entries">): string {
  return [health, ...Object.entries(entries).map(([entry, state]) => `${entry}: ${state}`)].join(", ");
}

type ArrayStatus = NonNullable<GenerationStatus["array"]>;
