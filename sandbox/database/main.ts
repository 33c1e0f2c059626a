import { parseArgs } from "node:util";
import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

/**
 * A real PostgreSQL in this process, for any client. It has one session, which its connections share in turn: a
 * transaction of one keeps the others waiting, and is rolled back when its connection is cut.
 * @see https://pglite.dev/docs/pglite-socket
 */
const { values } = parseArgs({
  options: { host: { type: "string" }, port: { type: "string", default: "5432" }, directory: { type: "string" } },
});
if (values.host === undefined || values.directory === undefined)
  throw new Error("usage: node sandbox/database/main.ts --host 127.64.0.3 --directory DIRECTORY [--port 5432]");

const db = await PGlite.create({ dataDir: values.directory, postgresqlconf: ["shared_buffers=1MB"] });
const server = new PGLiteSocketServer({ db, host: values.host, port: Number(values.port), maxConnections: 100 });
await server.start();
for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => process.exit());
console.log("ready");
