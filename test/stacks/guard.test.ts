import assert from "node:assert/strict";
import { fewerServers, objection } from "../../stacks/guard.ts";
import type { LastOutputs } from "../../stacks/outputs.ts";
import { exampleConfig } from "./shape.ts";

const definition = {
  imageId: "ami-0a1b2c3d4e5f60001",
  rootDeviceName: "/dev/xvda",
  instanceType: "t3.small",
  userDataDigest: "same",
  frontends: 2,
};
const last = { outputs: { live: "blue" }, definitions: { blue: definition } } as unknown as LastOutputs;
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

  it("refuses changed inputs of the live generation", () => {
    assert.match(
      objection(exampleConfig(), last, () => "other") ?? "",
      /inputs or userDataFile of the live generation changed/,
    );
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
