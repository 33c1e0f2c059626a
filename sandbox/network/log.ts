export type Log = (message: string) => void;

/** One line with the time on standard output, which is the service's log. */
export const log: Log = (message) => console.log(`${new Date().toISOString()} ${message}`);

export function messageOf(error: unknown): string {
  return error instanceof Error
    ? error.message || ((error as NodeJS.ErrnoException).code ?? error.name)
    : String(error);
}
