import assert from "node:assert/strict";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { packageDirectory } from "../../stacks/project.ts";

const program = `import { Site, siteArguments } from "handover";
import * as aws from "@pulumi/aws";

export default async () => {
  const { name, args, outputs } = await siteArguments();
  const site = new Site(name, args);
  new aws.ec2.SecurityGroup("own", { description: "beside the site", vpcId: site.network.vpcId });
  return { ...outputs(site), dnsName: site.balancer.loadBalancer.dnsName };
};
`;

describe("a project of a team's own, with the packed package", function () {
  this.timeout(900_000);
  const name = "sandbox-own-project";
  let root: string;
  let project: string;
  before(async () => {
    root = mkdtempSync(join(tmpdir(), "handover-own-"));
    project = join(root, "shop");
    mkdirSync(project);
    const { stdout } = await execa("npm", ["pack", "--silent", "--pack-destination", root], { cwd: packageDirectory });
    const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
    await execa("npm", [...install, join("..", stdout.trim().split("\n").at(-1) ?? "")], { cwd: project });
  });
  after(async () => {
    if (existsSync(join(project, "Pulumi.yaml"))) await handover("sandbox", "down", "--name", name);
    rmSync(root, { recursive: true, force: true });
  });

  /** As a person types it there, without what this process has brought for itself. */
  const handover = (...args: string[]) =>
    execa("npx", ["handover", ...args], { cwd: project, reject: false, env: { HANDOVER_BROUGHT: "" } });
  const json = async (...args: string[]) => {
    const { stdout, stderr, exitCode } = await handover(...args, "--json");
    assert.equal(exitCode, 0, stdout + stderr);
    return JSON.parse(stdout.split("\n").at(-1) ?? "");
  };

  it("has JavaScript in the package, and nothing that only tests or benchmarks need", () => {
    const dist = join(project, "node_modules", "handover", "dist");
    const files = globSync("**/*", { cwd: dist });
    const left = /(^|\/)(test|bench|chaos|lag|storms|matrix)(\/|$)|(?<!\.d)\.ts$/;
    assert.deepEqual(
      files.filter((file) => left.test(file)),
      [],
    );
    assert.ok(files.includes(join("sandbox", "cloud", "__main__.py")));
  });

  it("says that there is none before it is made", async () => {
    const { stderr, exitCode } = await handover("status", "--stack", "production");
    assert.match(stderr, /there is no Pulumi\.yaml\. Nothing was changed\. .*npx handover init/);
    assert.equal(exitCode, 1);
  });

  it("is made by init, once, and its program has types", async () => {
    const { files, next } = await json("init");
    assert.ok(files.includes("index.ts"));
    assert.equal(next[0], "npx handover rehearse");
    const { dependencies } = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
    assert.match(dependencies.handover, /^file:\.\.\/handover-.*\.tgz$/);
    writeFileSync(join(project, "own.ts"), program);
    const tsc = join(packageDirectory, "node_modules", ".bin", "tsc");
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024", "--skipLibCheck"];
    const { stdout } = await execa(tsc, [...options, "index.ts", "own.ts"], { cwd: project, reject: false });
    assert.equal(stdout, "");
    const again = await handover("init", "--force");
    assert.match(again.stderr, /Pulumi\.yaml, index\.ts, .* would be overwritten/);
    assert.equal(again.exitCode, 1);
  });

  it("upgrades its stack in a sandbox, by a person's pulumi and by a program of its own", async () => {
    await json("sandbox", "up", "--name", name);
    const { variables } = await json("sandbox", "env", "--name", name);
    const settings = { cwd: project, env: variables };
    await execa("pulumi", ["stack", "select", name], settings);
    await execa("pulumi", ["preview", "--expect-no-changes"], settings);
    const yaml = readFileSync(join(project, "Pulumi.yaml"), "utf8");
    writeFileSync(join(project, "Pulumi.yaml"), yaml.replace("index.ts", "own.ts"));
    await execa("pulumi", ["up", "--yes", "--skip-preview"], settings);
    const file = join(project, `Pulumi.${name}.yaml`);
    writeFileSync(file, readFileSync(file, "utf8").replace("handover:live: blue", "handover:live: green"));
    const { phases } = await json("plan", "--stack", name);
    assert.ok(phases.length > 5);
    assert.equal((await json("upgrade", "-s", name)).outcome, "reached");
    const { stdout } = await execa("pulumi", ["stack", "output", "dnsName"], settings);
    assert.match(stdout, /elb/);
  });
});
