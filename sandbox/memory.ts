import { readdirSync, readFileSync } from "node:fs";

/** Watches how much memory processes and their children use together. */
export class MemoryWatch {
  readonly #roots: readonly number[];
  readonly #timer: NodeJS.Timeout;
  #peak = 0;
  #mostResident = 0;

  constructor(roots: readonly number[]) {
    this.#roots = roots;
    this.#timer = setInterval(() => this.#sample(), 1000);
    this.#timer.unref();
  }

  /** Ends the watch. @returns the most that was seen, in megabytes of proportional set size */
  stop(): number {
    this.#sample();
    clearInterval(this.#timer);
    return this.#peak / 1024;
  }

  /** Proportional sizes are dear to read (the kernel walks every page), so they are read only when more is resident than ever. */
  #sample(): void {
    const processes = descendants(this.#roots);
    const resident = processes.reduce((sum, pid) => sum + residentPages(pid), 0);
    if (resident <= this.#mostResident) return;
    this.#mostResident = resident;
    const total = processes.reduce((sum, pid) => sum + proportionalKilobytes(pid), 0);
    this.#peak = Math.max(this.#peak, total);
  }
}

function descendants(roots: readonly number[]): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = Number(/^PPid:\s+(\d+)$/m.exec(read(`/proc/${entry}/status`))?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const all = new Set(roots);
  for (const pid of all) for (const child of children.get(pid) ?? []) all.add(child);
  return [...all];
}

function residentPages(pid: number): number {
  return Number(read(`/proc/${pid}/statm`).split(" ")[1] ?? 0);
}

/** Shared pages count by their share: https://docs.kernel.org/filesystems/proc.html */
function proportionalKilobytes(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // The process has ended.
  }
}
