import assert from "node:assert/strict";
import { editStack, environmentOf, handover, run } from "./command-line.ts";

const name = "sandbox-generations";

describe("one stack through several generations", () => {
  before(async () => {
    const { exitCode, stdout, stderr } = await handover("sandbox", "up", "--name", name);
    assert.equal(exitCode, 0, stdout + stderr);
    editStack(name, (config) => Object.assign(config["handover:upgrade"], { stepSeconds: 0, bakeSeconds: 1 }));
  });
  after(async () => {
    await handover("sandbox", "down", "--name", name);
  });

  async function goTo(generation: string, edit: Parameters<typeof editStack>[1] = () => {}): Promise<void> {
    editStack(name, (config) => {
      config["handover:live"] = generation;
      edit(config);
    });
    const { exitCode, stdout, stderr } = await handover("upgrade", "--stack", name, "--json");
    assert.equal(exitCode, 0, stdout + stderr);
    const status = JSON.parse((await handover("status", "--stack", name, "--json")).stdout);
    assert.deepEqual([status.live, Object.keys(status.generations), status.run], [generation, [generation], null]);
    const servers = status.generations[generation].frontends.map(
      ({ instanceId }: { instanceId: string }) => instanceId,
    );
    assert.deepEqual(
      status.addresses.map(({ instanceId }: { instanceId: string }) => instanceId),
      servers,
    );
  }

  it("goes from blue to green", () => goTo("green"));

  it("does nothing when it is there", () => goTo("green"));

  it("goes on to a third generation", () =>
    goTo("r3", (config) => {
      config["handover:generations"].r3 = {
        extends: "green",
        imageId: "ami-0a1b2c3d4e5f60002",
        inputs: { APP_REVISION: "43" },
      };
    }));

  it("serves on when its secrets get a passphrase in place of a key of KMS", async () => {
    const env = await environmentOf(name);
    const providerOf = async () => {
      const { stdout } = await run("pulumi", ["stack", "export", "--stack", name], env);
      return JSON.parse(stdout).deployment.secrets_providers.type;
    };
    assert.equal(await providerOf(), "cloud");
    const change = ["stack", "change-secrets-provider", "passphrase", "--stack", name];
    const { exitCode, stderr } = await run("pulumi", change, env);
    assert.equal(exitCode, 0, stderr);
    assert.equal(await providerOf(), "passphrase");
    await goTo("r3");
  });

  it("goes back to blue, begun by hand and finished by the driver", async () => {
    editStack(name, (config) => {
      config["handover:live"] = "blue";
    });
    const env = await environmentOf(name);
    for (const phase of ["launch-rest", "connect"]) {
      await run("pulumi", ["config", "set", "handover:phase", phase, "--stack", name], env);
      const { exitCode, stdout } = await run("pulumi", ["up", "--yes", "--skip-preview", "--stack", name], env);
      assert.equal(exitCode, 0, stdout);
    }
    await goTo("blue", (config) => {
      delete config["handover:phase"];
    });
  });

  it("has it all on record, unbroken", async () => {
    const { runs } = JSON.parse((await handover("history", "--stack", name, "--json")).stdout);
    assert.deepEqual(
      runs.map(({ from, to, outcome }: Record<string, string>) => `${from} -> ${to}: ${outcome}`),
      ["r3 -> blue: reached", "green -> r3: reached", "blue -> green: reached"],
    );
    assert.equal((await handover("history", "--stack", name, "--verify")).exitCode, 0);
  });
});
