import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Unit of Linux's times in `/proc`, whatever the kernel counts in itself: `getconf CLK_TCK`. */
const ticksPerSecond = 100;

/**
 * Where a process number means something: on Linux one boot of one kernel and one PID namespace, so that two containers
 * with the same host name, or a machine before and after a restart, are not taken for each other.
 */
export function machineIdentity(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return `${process.platform} ${hostname()}`;
  }
}

/**
 * When the process started, in whatever unit the system has (Linux: clock ticks since boot, field 22 of
 * https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html); `undefined` if it has ended. A number that was given to
 * another process since then has another start.
 */
export function processStart(pid: number): string | undefined {
  if (process.platform === "linux") {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      // The name, in parentheses, may contain anything; behind it come the state (field 3) and the numbers.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
    } catch {
      return undefined;
    }
  }
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The same as a moment, in milliseconds since 1970, to the second; `undefined` if it has ended. */
export function processStartTime(pid: number): number | undefined {
  const start = processStart(pid);
  if (start === undefined) return undefined;
  if (process.platform !== "linux") return Date.parse(start);
  const boot = Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]);
  return (boot + Math.floor(Number(start) / ticksPerSecond)) * 1000;
}

/** The program and its arguments; none if it has ended. */
export function processArguments(pid: number): string[] {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
    return execFileSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" })
      .trim()
      .split(" ");
  } catch {
    return [];
  }
}
