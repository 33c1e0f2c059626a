import type { CloudWatch } from "../cloud/cloudwatch.ts";
import type { Gate } from "./gate.ts";

/** None of the CloudWatch alarms is in ALARM. One without enough data is no alarm; one that does not exist is no evidence. */
export function noAlarm(
  cloudWatch: Pick<CloudWatch, "alarmStates">,
  names: readonly string[],
  patienceSeconds: number,
): Gate {
  return {
    name: "no alarm",
    patienceSeconds,
    everySeconds: 5,
    async observe(signal) {
      const states = await cloudWatch.alarmStates(names, signal);
      const missing = names.filter((name) => !states.has(name));
      if (missing.length > 0) throw new Error(`there is no alarm ${missing.join(", ")}`);
      const alarms = names.filter((name) => states.get(name) === "ALARM");
      if (alarms.length > 0) return { verdict: "fail", evidence: { alarms } };
      return { verdict: "pass", evidence: Object.fromEntries(states) };
    },
  };
}
