import assert from "node:assert/strict";
import { EC2Client } from "@aws-sdk/client-ec2";
import { allInstances } from "../../sandbox/instances.ts";

describe("all instances of the account", () => {
  it("are those of every page: the newest come last", async () => {
    const client = new EC2Client({ region: "us-east-1" });
    const pages = [
      { Reservations: [{ Instances: [{ InstanceId: "i-1" }, { InstanceId: "i-2" }] }], NextToken: "more" },
      { Reservations: [], NextToken: "and more" },
      { Reservations: [{ Instances: [{ InstanceId: "i-3" }] }] },
    ];
    client.send = async () => pages.shift() ?? assert.fail("there are no more pages");
    const ids = (await allInstances(client)).map(({ InstanceId }) => InstanceId);
    assert.deepEqual(ids, ["i-1", "i-2", "i-3"]);
    client.destroy();
  });
});
