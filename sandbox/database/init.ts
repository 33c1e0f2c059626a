import { PGlite } from "@electric-sql/pglite";

// node sandbox/database/init.ts DIRECTORY: makes the files of an empty database, with short write-ahead logs.
const database = await PGlite.create({ dataDir: process.argv[2], initDbStartParams: ["--wal-segsize=1"] });
await database.close();
