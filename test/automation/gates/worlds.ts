/** What a gate may find: all is well, something is not, or nobody can be asked. */
export type World = "good" | "bad" | "blind";

/** Answers with what is the case in a world. */
export const telling = <T>(world: World, good: T, bad: T) => {
  return async (): Promise<T> => {
    if (world === "blind") throw new Error("no route");
    return world === "good" ? good : bad;
  };
};
export const server = { name: "green-1", instanceId: "i-1", privateIp: "10.0.0.1" };
export const statuses = (world: World) => {
  const ok = { Status: "ok" } as const;
  const is = (Name: "running" | "terminated") =>
    new Map([["i-1", { InstanceState: { Name }, InstanceStatus: ok, SystemStatus: ok }]]);
  return {
    running: telling(world, is("running"), is("terminated")),
    gone: telling(world, is("terminated"), is("running")),
  };
};
export const targets = (world: World, good: string, bad: string) => {
  const is = (State: string) => new Map(State === "" ? [] : [["i-1", { TargetHealth: { State } }]]);
  return { targetHealth: telling(world, is(good), is(bad)) };
};
export const arrays = (world: World) => {
  const now = { desiredCapacity: 1, suspendedProcesses: ["Launch"] };
  const inService = { instanceId: "i-1", lifecycleState: "InService", healthy: true };
  return {
    ...targets(world, "healthy", "unhealthy"),
    arrays: {
      find: telling(
        world,
        { ...now, servers: [inService] },
        { ...now, suspendedProcesses: [], servers: [{ ...inService, healthy: false }] },
      ),
      servers: telling(world, [], [server]),
      describe: telling(
        world,
        { group: {}, hooks: [], policies: [], actions: [], notifications: [] },
        { group: {}, hooks: [{ LifecycleHookName: "boot" }], policies: [], actions: [] },
      ),
    },
  };
};
