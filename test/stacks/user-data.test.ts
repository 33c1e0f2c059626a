import assert from "node:assert/strict";
import { parse } from "yaml";
import { ConfigError } from "../../stacks/config.ts";
import { projectDirectory } from "../../stacks/project.ts";
import { userData } from "../../stacks/user-data.ts";
import { exampleConfig } from "./shape.ts";

function userDataOf(change?: Parameters<typeof exampleConfig>[0]): string {
  const config = exampleConfig(change);
  const { blue } = config.generations;
  assert.ok(blue);
  return userData(blue, config.site, projectDirectory);
}

describe("user data", () => {
  it("is a cloud-config-archive of the inputs and the user's own file", () => {
    const text = userDataOf();
    assert.match(text, /^#cloud-config-archive\n/);
    const [inputs, own] = parse(text) as { content: string }[];
    const [file] = parse(inputs?.content ?? "").write_files;
    assert.deepEqual([file.path, file.permissions], ["/etc/handover/inputs.env", "0600"]);
    assert.equal(file.content, 'APP_REVISION="41"\nGENERATION="blue"\nPORT="8080"\nSITE="www.staging.example.com"\n');
    assert.match(own?.content ?? "", /^#cloud-config\n/);
  });

  it("does not depend on the order of the inputs, since a change replaces servers", () => {
    const inOrder = (inputs: Record<string, string>) =>
      userDataOf((values) => {
        values.generations.blue.inputs = inputs;
      });
    assert.equal(inOrder({ A: "1", B: "2" }), inOrder({ B: "2", A: "1" }));
  });

  it("quotes what a systemd EnvironmentFile would read otherwise", () => {
    const text = userDataOf((values) => {
      values.generations.blue.inputs = { A: 'a "b" $c \\ `d`\ne' };
    });
    const [inputs] = parse(text) as { content: string }[];
    const [file] = parse(inputs?.content ?? "").write_files;
    assert.match(file.content, /^A="a \\"b\\" \\\$c \\\\ \\`d\\`\ne"$/m);
  });

  it("refuses more than EC2 takes", () => {
    assert.throws(
      () =>
        userDataOf((values) => {
          values.generations.blue.inputs = { A: "x".repeat(17_000) };
        }),
      ConfigError,
    );
  });
});
