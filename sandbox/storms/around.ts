import { copyFileSync, existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeleteScheduledActionCommand, PutScheduledUpdateGroupActionCommand } from "@aws-sdk/client-auto-scaling";
import { SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import { firstPhase } from "../../stacks/runbook.ts";
import { DriverProcess } from "../chaos/driver-process.ts";
import { sandboxDirectory } from "../environment.ts";
import { addFault, clearFaults } from "../faults.ts";
import { oldAreThere } from "./servers.ts";
import { nothing, type Storm } from "./storm.ts";

/** What happens around a run: to its view of AWS, its machine and its state. */

/** The alarm that each run watches. */
export const alarmName = "storm";

const always = () => true;

/** The stack's state in the sandbox's backend. */
function stateFile(name: string): string {
  return join(sandboxDirectory(name), "state", ".pulumi", "stacks", "handover", `${name}.json`);
}

export const aroundStorms: readonly Storm[] = [
  {
    name: "credentials expired",
    kind: "around",
    inPhase: always,
    async strike({ world: { sandbox } }) {
      await addFault(sandbox, { kind: "expired" });
      const mend = () => clearFaults(sandbox);
      return { happened: true, mend, after: mend };
    },
  },
  {
    name: "proxy gone",
    kind: "around",
    inPhase: always,
    async env({ proxy }) {
      await proxy.start();
      return proxy.env;
    },
    async strike({ world: { proxy } }) {
      const happened = proxy.passed > 0;
      await proxy.stop();
      return { happened, mend: () => proxy.start(), after: () => proxy.stop() };
    },
  },
  {
    name: "alarm rings",
    kind: "around",
    inPhase: always,
    async strike({ world: { cloudWatch } }) {
      const state = (StateValue: "ALARM" | "OK") =>
        cloudWatch.send(new SetAlarmStateCommand({ AlarmName: alarmName, StateValue, StateReason: "a storm" }));
      await state("ALARM");
      const quiet = async () => void (await state("OK"));
      return { happened: true, mend: quiet, after: quiet };
    },
  },
  {
    name: "scheduled action",
    kind: "around",
    inPhase: oldAreThere,
    async strike({ world, from }) {
      const array = await world.arrayOf(from);
      if (array === undefined) return nothing;
      const { AutoScalingGroupName } = array;
      const action = { AutoScalingGroupName, ScheduledActionName: "storm" };
      const StartTime = new Date(Date.now() + 1000);
      await world.scaling.send(new PutScheduledUpdateGroupActionCommand({ ...action, StartTime, DesiredCapacity: 2 }));
      const after = async () => {
        for (const { AutoScalingGroupName: name } of await world.arrays())
          await world.scaling
            .send(new DeleteScheduledActionCommand({ ...action, AutoScalingGroupName: name }))
            .catch(() => {}); // It was of another array.
      };
      return { happened: true, arraySize: "any", mend: after, after };
    },
  },
  {
    name: "disk full",
    kind: "state",
    inPhase: always,
    moment: "before",
    async strike({ world: { sandbox } }) {
      // What it leaves of a state that the engine wanted to write: the one before it is beside.
      const file = stateFile(sandbox.name);
      renameSync(file, `${file}.bak`);
      writeFileSync(file, "");
      return { happened: statSync(file).size === 0 };
    },
  },
  {
    name: "state lost",
    kind: "state",
    inPhase: always,
    moment: "before",
    async strike({ world: { sandbox } }) {
      const file = stateFile(sandbox.name);
      const copy = join(sandboxDirectory(sandbox.name), "lost-state.json");
      copyFileSync(file, copy);
      for (const each of [file, `${file}.bak`]) rmSync(each, { force: true });
      return {
        happened: true,
        mend: async () => {
          if (!existsSync(file) || statSync(file).size < statSync(copy).size / 2) copyFileSync(copy, file);
        },
      };
    },
  },
  {
    name: "second site",
    kind: "state",
    inPhase: always,
    async strike({ world: { sandbox } }) {
      const backend = mkdtempSync(join(tmpdir(), "handover-second-site-"));
      const second = new DriverProcess(["upgrade", "--stack", sandbox.name], () => {}, {
        PULUMI_BACKEND_URL: `file://${backend}`,
      });
      const { exitCode } = await second.ended();
      rmSync(backend, { recursive: true, force: true });
      return { happened: exitCode === 1 };
    },
  },
  {
    name: "old servers down",
    kind: "server",
    inPhase: (phase) => phase === firstPhase,
    moment: "first",
    config: { "handover:upgrade.whenOldIsDown": "pause" },
    async strike({ world, from }) {
      const servers = await world.allRunning(from);
      const crashed = await Promise.all(servers.map(({ id }) => world.crash(id)));
      const cutAddresses = (await world.addresses()).map(({ PublicIp = "" }) => PublicIp);
      return {
        happened: servers.length > 0 && crashed.every(Boolean),
        cutAddresses,
        cutSeconds: Number.POSITIVE_INFINITY,
      };
    },
  },
];
