/**
 * A process that takes the lease of the table in argv[2] for argv[3] seconds and says `held`. Then it obeys the words on
 * its standard input: `check` says `held` or the error's code, `release` gives the lease back.
 */
import { createInterface } from "node:readline";
import { connect, take } from "./support.ts";

const [, , tableName = "", seconds = "60"] = process.argv;
const lease = await take(connect(tableName), { seconds: Number(seconds) });
console.log("held");
for await (const word of createInterface({ input: process.stdin })) {
  if (word === "release") {
    await lease.release();
    break;
  }
  try {
    lease.assertHeld();
    console.log("held");
  } catch (error) {
    console.log((error as { code: string }).code);
  }
}
process.stdin.destroy();
