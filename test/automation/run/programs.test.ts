import assert from "node:assert/strict";
import { dirname } from "node:path";
import { checkPrograms } from "../../../automation/run/programs.ts";
import { configOf } from "../config.ts";

describe("programs of the site's own commands", () => {
  const node = dirname(process.execPath);
  const check = (path: string, ...programs: string[]) =>
    checkPrograms(
      configOf({ upgrade: { smoke: programs.map((program) => ({ command: [program, "test"] })) } }).config,
      path,
    );

  it("are found on the PATH, or by their own path", () => {
    check(`/nowhere:${node}`, "node");
    check("/nowhere", process.execPath);
  });

  it("are missed before a run begins, with the key that names them", () => {
    assert.throws(() => check(node, "node", "nosuchprogram"), {
      message:
        "handover:upgrade.smoke[1].command: there is no program nosuchprogram on the PATH of this machine; install it, or give its path",
    });
  });
});
