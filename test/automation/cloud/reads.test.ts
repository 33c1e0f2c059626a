import assert from "node:assert/strict";
import { DeleteTagsCommand } from "@aws-sdk/client-ec2";
import { accessTo } from "../../../automation/cloud/access.ts";
import { Aws } from "../../../automation/cloud/aws.ts";
import { Arrays } from "../../sandbox/cloud/array-world.ts";
import { running } from "../../sandbox/cloud/world.ts";
import { cloudForTests, eventually, type TestCloud } from "../../sandbox/support.ts";

describe("The driver's reads", () => {
  const names = ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
  const earlier = names.map((name) => [name, process.env[name]] as const);
  let cloud: TestCloud;
  let aws: Aws;
  before(async () => {
    cloud = await cloudForTests();
    for (const [index, value] of [cloud.url, "a", "b"].entries()) process.env[names[index] ?? ""] = value;
    aws = new Aws(accessTo("us-east-1"));
  });
  after(async () => {
    aws?.close();
    for (const [name, value] of earlier) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    await cloud.stop();
  });

  it("know the others when AWS does not know one of some servers", async () => {
    const ids = [await running(cloud.ec2), await running(cloud.ec2)].map(({ InstanceId = "" }) => InstanceId);
    const asked = [ids[0] ?? "", "i-00000000000000001", ids[1] ?? ""];
    assert.deepEqual([...(await aws.instanceStatuses(asked)).keys()].sort(), ids.sort());
    assert.deepEqual([...(await aws.instanceStatuses(["i-00000000000000001"])).keys()], []);
  });

  it("know the servers of an array before AWS shows their tags", async () => {
    const own = await Arrays.in(cloud);
    const name = await own.create(2);
    const { arrays } = aws;
    const both = await eventually(async () => {
      const found = await arrays.servers([name]);
      return found.length === 2 && found;
    });
    const [first] = both;
    await cloud.ec2.send(
      new DeleteTagsCommand({ Resources: [first?.instanceId ?? ""], Tags: [{ Key: "aws:autoscaling:groupName" }] }),
    );
    const ids = (await arrays.servers([name])).map(({ instanceId }) => instanceId);
    assert.deepEqual(ids.sort(), both.map(({ instanceId }) => instanceId).sort());
  });
});
