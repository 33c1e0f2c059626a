import pg from "pg";

/** The site's database, as its servers see it. */
export interface SiteDatabase {
  /** Asks a question that only a database can answer. @throws if it does not, within its time limit */
  ask(): Promise<void>;
}

const limitMilliseconds = 2000;

/** A pool for all servers: the sandbox's database answers one connection after the other, however many there are. */
export function siteDatabase(connectionString: string): SiteDatabase {
  const pool = new pg.Pool({
    connectionString,
    max: 4,
    connectionTimeoutMillis: limitMilliseconds,
    query_timeout: limitMilliseconds,
    allowExitOnIdle: true,
  });
  // An idle connection was cut: the next question opens another.
  pool.on("error", () => undefined);
  return {
    async ask() {
      await pool.query("SELECT now()");
    },
  };
}

/** Nothing listens there. */
export const deadDatabase = siteDatabase("postgresql://postgres@127.0.0.1:1/postgres");
