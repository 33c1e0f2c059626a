import assert from "node:assert/strict";
import { fewerServers, objection } from "../../stacks/guard.ts";
import type { LastOutputs } from "../../stacks/outputs.ts";
import { inputDigests, siteAsLaunched } from "../../stacks/user-data.ts";
import { exampleConfig } from "./shape.ts";

const definition = {
  imageId: "ami-0a1b2c3d4e5f60001",
  rootDeviceName: "/dev/xvda",
  instanceType: "t3.small",
  userDataDigest: "same",
  frontends: 2,
};
const last = {
  outputs: { live: "blue", run: null, addresses: ["a", "b"] },
  definitions: { blue: definition },
} as unknown as LastOutputs;
const same = () => "same";

describe("guard", () => {
  it("lets an empty stack be deployed", () => {
    assert.equal(objection(exampleConfig(), undefined, same), undefined);
  });

  it("lets a plain update pass that changes nothing of what is live", () => {
    assert.equal(objection(exampleConfig(), last, same), undefined);
  });

  it("refuses a jump from one live generation to another, and names the two ways on", () => {
    const problem = objection(
      exampleConfig((values) => {
        values.live = "green";
      }),
      last,
      same,
    );
    assert.match(problem ?? "", /handover upgrade.*pulumi config set handover:phase/);
  });

  it("lets a step of the runbook pass", () => {
    const config = exampleConfig((values) => {
      values.live = "green";
      values.phase = "connect";
    });
    assert.equal(objection(config, last, same), undefined);
  });

  it("refuses a new goal together with a change of the live generation's own definition", () => {
    const config = exampleConfig((values) => {
      values.live = "green";
      values.generations.blue.instanceType = "t3.large";
    });
    assert.match(
      objection(config, last, same) ?? "",
      /^handover:generations\.blue: instanceType of the live generation changed together with handover:live \(blue -> green\)/,
    );
  });

  for (const [key, value] of Object.entries({
    iamInstanceProfile: "www",
    keyName: "ops",
    rootBlockDevice: { volumeSize: 40 },
    metadataHopLimit: 2,
    monitoring: true,
    cpuCredits: "standard",
    tenancy: "dedicated",
    placementGroup: "near",
  })) {
    it(`refuses a changed ${key} of the live generation, and lets a plain update pass when it is as it was`, () => {
      const config = exampleConfig((values) => {
        values.generations.blue[key] = value;
      });
      assert.match(objection(config, last, same) ?? "", new RegExp(`blue: ${key} of the live generation changed`));
      const then = { ...last, definitions: { blue: { ...definition, [key]: value } } };
      assert.equal(objection(config, then, same), undefined);
    });
  }

  it("lets the live generation say what its servers have already, and have other tags", () => {
    const config = exampleConfig(({ generations: { blue } }) => {
      Object.assign(blue, { metadataHopLimit: 1, monitoring: false, tenancy: "default", tags: { team: "web" } });
    });
    assert.equal(objection(config, last, same), undefined);
  });

  it("refuses further Elastic IPs in a run, and says that they come first", () => {
    const more = (live: string) =>
      exampleConfig((values) => {
        values.live = live;
        values.phase = live === "blue" ? undefined : "backup";
        values.site.elasticIps = 3;
        for (const generation of Object.values<{ frontends?: number }>(values.generations)) generation.frontends = 3;
      });
    assert.match(
      objection(more("green"), last, same) ?? "",
      /elasticIps: was 2 and is 3.*handover:live: blue and `pulumi up`/,
    );
    assert.equal(objection(more("blue"), last, same), undefined);
  });

  it("refuses changed inputs of the live generation", () => {
    assert.match(
      objection(exampleConfig(), last, () => "other") ?? "",
      /inputs or userDataFile of the live generation changed/,
    );
  });

  it("names the input that was changed, or the user data file where it is none of them", () => {
    const config = exampleConfig();
    const then = (APP_REVISION: string, more = {}) => {
      const digests = inputDigests({ APP_REVISION, ...more });
      return { ...last, definitions: { blue: { ...definition, inputDigests: digests } } } as LastOutputs;
    };
    const said = (before: LastOutputs) => objection(config, before, () => "other") ?? "";
    assert.match(said(then("40")), /blue: inputs\.APP_REVISION of the live generation changed/);
    assert.match(said(then("41", { GONE: "x" })), /blue: inputs\.GONE of the live generation changed/);
    assert.match(said(then("41")), /blue: userDataFile of the live generation changed/);
  });

  it("refuses another port by its name, and says what can be done instead", () => {
    const generations = { blue: { port: 8080, frontends: [], weight: 100 } };
    const listening = { ...last, outputs: { ...last.outputs, generations } } as unknown as LastOutputs;
    const changed = exampleConfig((values) => {
      values.site.port = 9090;
    });
    assert.match(
      objection(changed, listening, same) ?? "",
      /^handover:site\.port: was 8080 and is 9090, but the servers of blue listen on 8080.*as another stack/,
    );
    assert.equal(objection(exampleConfig(), listening, same), undefined);
  });

  it("lets a live site have another host name: its servers keep the one that they were launched with", () => {
    const config = exampleConfig((values) => {
      values.site.hostname = "shop.example.com";
    });
    const outputs = { live: "blue", hostname: "www.staging.example.com" };
    const { blue } = config.generations;
    assert.ok(blue);
    const nameIn = (before: Record<string, unknown>) => {
      const launched = { outputs, definitions: { blue: { ...definition, ...before } } } as unknown as LastOutputs;
      return siteAsLaunched(config.site, launched, "blue").hostname;
    };
    assert.equal(nameIn({}), "www.staging.example.com");
    assert.equal(nameIn({ hostname: "first.example.com" }), "first.example.com");
    assert.equal(siteAsLaunched(config.site, last, "green").hostname, "shop.example.com");
  });

  it("refuses a generation with fewer servers than serve, unless that is said to be enough", () => {
    const smaller = (allowFewer: boolean) =>
      exampleConfig((values) => {
        values.live = "green";
        values.site.elasticIps = 1;
        values.generations.green.frontends = 1;
        values.upgrade.allowFewer = allowFewer;
      });
    assert.match(
      fewerServers(smaller(false), last) ?? "",
      /^handover:generations\.green\.frontends: 1 is fewer than the 2 of blue.*allowFewer: true/,
    );
    assert.equal(fewerServers(smaller(true), last), undefined);
    assert.equal(fewerServers(exampleConfig(), last), undefined);
  });

  it("refuses to forget the generation that serves", () => {
    const config = exampleConfig((values) => {
      values.generations = { green: { ...values.generations.blue } };
      values.live = "green";
    });
    assert.match(objection(config, last, same) ?? "", /generation "blue" serves, but is no longer declared/);
  });
});
