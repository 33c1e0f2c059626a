/** The load generator's own process; `traffic.ts` starts it and speaks with it over Node's channel between processes. */
import { Load, type LoadOptions, type Targets } from "./load.ts";
import type { TrafficReport } from "./report.ts";

export type Command =
  | { readonly type: "start"; readonly options: LoadOptions }
  | { readonly type: "mark"; readonly phase: string }
  | { readonly type: "targets"; readonly targets: Targets }
  | { readonly type: "stop" };

export type Event = { readonly type: "started" } | { readonly type: "report"; readonly report: TrafficReport };

let load: Load | undefined;

process.on("message", (command: Command) => {
  switch (command.type) {
    case "start":
      load = new Load(command.options);
      tell({ type: "started" });
      break;
    case "mark":
      load?.mark(command.phase);
      break;
    case "targets":
      load?.setTargets(command.targets);
      break;
    case "stop":
      void stop();
  }
});

/** Whoever interrupts the rehearsal still wants its report; the generator ends when its parent does. */
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit());

async function stop(): Promise<void> {
  if (load === undefined) throw new Error("stop before start");
  tell({ type: "report", report: await load.stop() });
}

function tell(event: Event): void {
  process.send?.(event);
}
