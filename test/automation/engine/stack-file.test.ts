import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { declarationOf, handoverValues, mergeKeys, readStackFile } from "../../../automation/engine/stack-file.ts";

describe("stack file", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "handover-test-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  const write = (name: string, text: string) => writeFileSync(join(directory, name), text);

  it("names the stacks that there are when asked for another", () => {
    write("Pulumi.staging.yaml", "config: {}");
    assert.throws(() => readStackFile(directory, "stagign"), /no stack "stagign".*Known stacks: staging/);
  });

  it("says where YAML does not parse, without a stack trace", () => {
    write("Pulumi.broken.yaml", "config:\n  a: [1\n b: 2\n");
    assert.throws(
      () => readStackFile(directory, "broken"),
      /^ConfigError: Pulumi\.broken\.yaml: is not YAML: .* at line/,
    );
  });

  it("gives the handover keys without their prefix", () => {
    write("Pulumi.a.yaml", "config:\n  aws:region: us-east-1\n  handover:live: blue\n");
    assert.deepEqual(handoverValues(readStackFile(directory, "a").config), { live: "blue" });
  });

  it("reads a map that `pulumi config set` wrote as JSON, as the program gets it", () => {
    write("Pulumi.a.yaml", `config:\n  handover:generations: '{"blue":{"frontends":2}}'\n  handover:live: "[blue"\n`);
    assert.deepEqual(handoverValues(readStackFile(directory, "a").config), {
      generations: { blue: { frontends: 2 } },
      live: "[blue",
    });
  });

  it("refuses tags that AWS would refuse, and a certificate of another region", () => {
    const problems = (config: string) => {
      write("Pulumi.a.yaml", `config:\n  aws:region: us-east-1\n  ${config}\n`);
      try {
        readStackFile(directory, "a");
      } catch (error) {
        return (error as Error).message;
      }
      return "";
    };
    const tags = (text: string) => problems(`aws:defaultTags: { tags: { ${text} } }`);
    assert.equal(tags('"team:name": "a b/c=d@e \u00e9"'), "");
    assert.match(tags('"AWS:team": a'), /^aws:defaultTags\.tags\.AWS:team: AWS keeps tags that begin with aws:/);
    assert.match(tags(`"${"k".repeat(129)}": a`), /a tag's name has 1 to 128 characters$/);
    assert.match(tags(`a: "${"v".repeat(257)}"`), /tags\.a: a tag's value has at most 256 characters$/);
    assert.match(tags('a: "x<y"'), /tags\.a: tags have letters, digits/);
    const many = Array.from({ length: 46 }, (_, index) => `k${index}: a`).join(", ");
    assert.match(tags(many), /^aws:defaultTags\.tags: 46 tags are more than the 45/);
    const site = (region: string) =>
      problems(`handover:site: { loadBalancer: { certificateArn: "arn:aws:acm:${region}:1:certificate/x" } }`);
    assert.equal(site("us-east-1"), "");
    assert.match(site("eu-west-1"), /certificateArn: is in eu-west-1, and the load balancer in us-east-1; request/);
  });

  it("refuses a file in another encoding than the engine's", () => {
    writeFileSync(join(directory, "Pulumi.a.yaml"), Buffer.from("config:\n  handover:live: caf\u00e9\n", "latin1"));
    assert.throws(() => readStackFile(directory, "a"), /^ConfigError: Pulumi\.a\.yaml: is no text in UTF-8/);
  });

  it("sees secrets", () => {
    write("Pulumi.a.yaml", "config:\n  handover:x:\n    secure: v1:abc\n");
    write("Pulumi.b.yaml", "config:\n  handover:x: a secure connection\n");
    assert.deepEqual(
      [readStackFile(directory, "a").hasSecrets, readStackFile(directory, "b").hasSecrets],
      [true, false],
    );
  });

  it("merges the driver's keys over what a person stepped with, and leaves the rest as it is", () => {
    const text =
      "# desired\nencryptionsalt: v1:s\nconfig:\n  handover:live: green # goal\n  handover:phase: backup\n  handover:step: 2\n";
    const merged = mergeKeys(text, { phase: "connect", step: undefined, run: { id: "r1" } });
    assert.match(merged, /# desired[\s\S]*# goal/);
    assert.deepEqual(parse(merged), {
      encryptionsalt: "v1:s",
      config: { "handover:live": "green", "handover:phase": "connect", "handover:run": { id: "r1" } },
    });
  });

  it("takes the state's salt where the file has none of its own", () => {
    const salt = (text: string) => parse(mergeKeys(text, {}, { salt: "v1:state" })).encryptionsalt;
    assert.deepEqual([salt("config: {}"), salt("encryptionsalt: v1:own\nconfig: {}")], ["v1:state", "v1:own"]);
  });

  it("takes the state's data key where the file names the same key service and has no data key of its own", () => {
    const key = (text: string) =>
      parse(mergeKeys(text, {}, { url: "awskms://alias/a", encryptedkey: "state" })).encryptedkey;
    const files = [
      "secretsprovider: awskms://alias/a\nconfig: {}",
      "secretsprovider: awskms://alias/a\nencryptedkey: own\nconfig: {}",
      "secretsprovider: awskms://alias/b\nconfig: {}",
      "config: {}",
    ];
    assert.deepEqual(files.map(key), ["state", "own", undefined, undefined]);
  });

  it("tells what is declared: another when an input, a secret or a user data file is, and not when the goal is", () => {
    write("cloud-init.yaml", "#cloud-config");
    const declared = (revision: string, secret: string, live = "blue") => {
      const generation = `{ userDataFile: cloud-init.yaml, inputs: { A: "${revision}", B: { secure: "${secret}" } } }`;
      write("Pulumi.d.yaml", `config:\n  handover:live: ${live}\n  handover:generations: { blue: ${generation} }\n`);
      return JSON.stringify(declarationOf(readStackFile(directory, "d"), directory));
    };
    const first = declared("1", "v1:x");
    assert.equal(declared("1", "v1:x", "green"), first);
    assert.notEqual(declared("2", "v1:x"), first);
    assert.notEqual(declared("1", "v1:y"), first);
    write("cloud-init.yaml", "#cloud-config\nruncmd: []");
    assert.notEqual(declared("1", "v1:x"), first);
  });
});
