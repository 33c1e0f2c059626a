import { StartInstancesCommand, StopInstancesCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { DeregisterTargetsCommand } from "@aws-sdk/client-elastic-load-balancing-v2";
import { factsOf, type Row, settle } from "../../automation/runbook/rows.ts";
import { isAfter, isPhase, lastPhase, phaseNames } from "../../stacks/runbook.ts";
import { type Done, nothing, type Storm, type Struck } from "./storm.ts";
import type { Server } from "./world.ts";

const launchesFirst = phaseNames.find((name) => factsOf(name).suite === "new frontends") ?? lastPhase;

/** Phases in which old servers are there from the beginning to the end. */
export const oldAreThere = (phase: Row) => phase !== lastPhase;

/** The same of at least one new server. */
export const newAreThere = (phase: Row) => (isPhase(phase) ? isAfter(phase, launchesFirst) : phase !== settle);

/** The longest that a load balancer gives requests to a server that is gone: two checks, their timeout, and the lag. */
export const untilFoundDead = 15;

type Blow = (run: Struck, server: Server) => Promise<Done>;

const blows: Readonly<Record<string, Blow>> = {
  terminated: async ({ world }, { id }) => {
    const cutAddresses = await addressesOn(world, id);
    await world.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    const happened = ["shutting-down", "terminated", undefined].includes(await world.stateOf(id));
    return { happened, took: [id], cutAddresses, cutSeconds: untilFoundDead };
  },
  stopped: async ({ world }, { id }) => {
    const cutAddresses = await addressesOn(world, id);
    await world.ec2.send(new StopInstancesCommand({ InstanceIds: [id] }));
    const happened = ["stopping", "stopped"].includes((await world.stateOf(id)) ?? "");
    const start = async () => {
      while ((await world.stateOf(id)) === "stopping") await new Promise((resolve) => setTimeout(resolve, 200));
      if ((await world.stateOf(id)) === "stopped")
        await world.ec2.send(new StartInstancesCommand({ InstanceIds: [id] }));
    };
    return { happened, cutAddresses, cutSeconds: untilFoundDead, mend: start, after: start };
  },
  crashed: async ({ world }, { id }) => {
    const cutAddresses = await addressesOn(world, id);
    const happened = await world.crash(id);
    // A person sees that it answers nothing, and starts it again: once, since it serves from then on.
    let isMended = false;
    const again = async () => {
      if (isMended || (await world.stateOf(id)) !== "running") return;
      isMended = true;
      await world.ec2.send(new StopInstancesCommand({ InstanceIds: [id] }));
      while ((await world.stateOf(id)) === "stopping") await new Promise((resolve) => setTimeout(resolve, 200));
      await world.ec2.send(new StartInstancesCommand({ InstanceIds: [id] }));
    };
    return { happened, cutAddresses, cutSeconds: untilFoundDead, mend: again, after: again };
  },
  impaired: async ({ world }, { id }) => {
    await world.impair([id]);
    const good = () => world.impair([]);
    return { happened: true, mend: good, after: good };
  },
  deregistered: async ({ world }, { id }) => {
    const TargetGroupArn = await world.targetGroupOf(id);
    if (TargetGroupArn === undefined) return nothing;
    await world.balancing.send(new DeregisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: id }] }));
    return { happened: !(await world.targetsIn(TargetGroupArn)).includes(id) };
  },
};

async function addressesOn(world: Struck["world"], id: string): Promise<string[]> {
  const held = (await world.addresses()).filter(({ InstanceId }) => InstanceId === id);
  return held.map(({ PublicIp = "" }) => PublicIp);
}

export const serverStorms: readonly Storm[] = (["old", "new"] as const).flatMap((age) =>
  Object.entries(blows).map(
    ([blow, strike]): Storm => ({
      name: `${age} server ${blow}`,
      kind: blow === "deregistered" ? "by hand" : "server",
      inPhase: age === "old" ? oldAreThere : newAreThere,
      strike: async (run) => {
        const server = await run.world.running(age === "old" ? run.from : run.to);
        return server === undefined ? nothing : strike(run, server);
      },
    }),
  ),
);
