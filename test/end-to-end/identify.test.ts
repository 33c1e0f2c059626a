import assert from "node:assert/strict";
import { drive } from "./command-line.ts";
import { Site } from "./site.ts";

const name = "sandbox-identify";

describe("a site whose answers say their revision, and nothing of Handover's", () => {
  let site: Site;

  before(async () => {
    site = await Site.up(name, (config) => {
      delete config["handover:site"].database;
      delete config["handover:upgrade"].migrate;
      const { blue, green } = config["handover:generations"];
      for (const { inputs } of [blue, green]) inputs.SIMULATE = "anonymous";
    });
  });
  after(() => site?.down());

  /** The second word of the front page. */
  const revision = { path: "/", body: "^\\S+ (\\S+)" };

  it("is not upgraded to servers that answer another revision than was declared", async () => {
    site.edit((config) => {
      config["handover:live"] = "green";
      config["handover:upgrade"].identify = { ...revision, equals: "r$inputs.APP_REVISION" };
      config["handover:upgrade"].gateSeconds = 15;
    });
    const { exitCode, events, stdout, stderr } = await drive(["upgrade", "--stack", name]);
    assert.equal(exitCode, 2, stdout + stderr);
    const refused = events.flatMap((event) => (event.type === "gate" && event.verdict === "fail" ? [event] : []));
    assert.deepEqual([...new Set(refused.map(({ phase }) => phase))], ["launch-first"]);
    assert.match(JSON.stringify(refused), /what green says in a body like .*"answered":"42"/);
  });

  it("is upgraded by what its answers say: no wait is blind, and every address is answered by the new one", async () => {
    site.edit((config) => {
      config["handover:upgrade"].identify = { ...revision, equals: "$inputs.APP_REVISION" };
      config["handover:upgrade"].gateSeconds = 60;
    });
    const traffic = await site.traffic();
    const { exitCode, events, stdout, stderr } = await drive(["upgrade", "--stack", name]);
    const { failed, failures } = await traffic.stop();
    assert.equal(exitCode, 0, stdout + stderr);
    assert.equal(failed, 0, JSON.stringify(failures));
    const evidence = events.flatMap((event) =>
      event.type === "gate" && event.gate.startsWith("weights everywhere") ? [event.evidence] : [],
    );
    assert.ok(evidence.length > 0 && evidence.every((each) => JSON.stringify(each).includes("answersInARow")));
    assert.doesNotMatch(JSON.stringify(events), /answers do not say/);
  });

  it("is told where the driver cannot tell one generation from the other by an answer", async () => {
    site.edit((config) => {
      config["handover:live"] = "blue";
      delete config["handover:upgrade"].identify;
      config["handover:upgrade"].propagationSeconds = 5;
    });
    const { exitCode, events, stdout, stderr } = await drive(["upgrade", "--stack", name]);
    assert.equal(exitCode, 0, stdout + stderr);
    const told = events.filter((event) => event.type === "warning" && /answers do not say which/.test(event.message));
    assert.equal(told.length, 1);
  });
});
