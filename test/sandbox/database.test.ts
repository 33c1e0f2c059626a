import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { startDatabase } from "../../sandbox/database/start.ts";
import { siteDatabase } from "../../sandbox/network/site-database.ts";
import { stopProcess } from "../../sandbox/processes.ts";
import { claimSlot } from "./network/world.ts";

describe("the sandbox's database", () => {
  let url: string;
  let release: () => void;
  let directory: string;
  let service: ChildProcess;

  before(async () => {
    const claimed = await claimSlot();
    release = claimed.release;
    url = claimed.slot.database.url;
    directory = mkdtempSync(join(tmpdir(), "handover-database-"));
    const logFile = join(directory, "log");
    service = await startDatabase({ slot: claimed.slot, directory: join(directory, "data"), logFile });
  });
  after(async () => {
    await stopProcess(service.pid);
    release();
    rmSync(directory, { recursive: true });
  });

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client(url);
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }

  it("is a PostgreSQL that answers many at once", async () => {
    const database = siteDatabase(url);
    await Promise.all(Array.from({ length: 100 }, () => database.ask()));
    const client = await connect();
    const { rows } = await client.query("SELECT version()");
    assert.match(rows[0].version, /^PostgreSQL \d+/);
    await client.end();
  });

  it("undoes what a client did that was killed in the middle of a transaction", async () => {
    const killed = await connect();
    await killed.query("BEGIN");
    await killed.query("CREATE TABLE half (done boolean)");
    killed.connection.stream.destroy();
    const other = await connect();
    const { rows } = await other.query("SELECT count(*)::int AS count FROM pg_tables WHERE tablename = 'half'");
    assert.deepEqual(rows, [{ count: 0 }]);
    await other.end();
  });
}).timeout(60_000);
