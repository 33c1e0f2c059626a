import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { publicAddresses } from "../../stacks/egress.ts";

/** Route tables by subnet, or by VPC for its main one; a subnet without one makes the call fail, as AWS's plugin does. */
async function cloudWith(tables: Readonly<Record<string, string>>): Promise<{ readonly asked: string[] }> {
  const asked: string[] = [];
  await pulumi.runtime.setMocks({
    newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: inputs }),
    call: ({ inputs: { subnetId, vpcId } }) => {
      const of = subnetId ?? vpcId;
      asked.push(of);
      if (tables[of] === undefined) throw new Error(`no matching Route Table found for ${of}`);
      return { routes: [{ cidrBlock: "0.0.0.0/0", gatewayId: tables[of], destinationPrefixListId: "" }] };
    },
  });
  return { asked };
}

describe("public addresses of new servers", () => {
  after(() => pulumi.runtime.disconnect());

  it("are theirs in a network of ours, which leads nowhere without one, unless they call nobody", async () => {
    const { asked } = await cloudWith({});
    assert.deepEqual(await publicAddresses({ cidrBlock: "10.20.0.0/16" }), [true]);
    assert.deepEqual(await publicAddresses({ cidrBlock: "10.20.0.0/16", egress: "none" }), [false]);
    assert.deepEqual(asked, []);
  });

  it("are theirs in each existing subnet that leads to an internet gateway, by its own table or the VPC's main one", async () => {
    await cloudWith({ "subnet-public": "igw-1", "subnet-nat": "nat-1", "vpc-1": "igw-1" });
    const subnetIds = ["subnet-nat", "subnet-public", "subnet-main"];
    assert.deepEqual(await publicAddresses({ vpcId: "vpc-1", subnetIds }), [false, true, true]);
    const frontends = { vpcId: "vpc-1", subnetIds, frontendSubnetIds: ["subnet-nat"] };
    assert.deepEqual(await publicAddresses(frontends), [false]);
  });

  it("are not asked for where servers call nobody, and none are given where nobody may read the routes", async () => {
    const { asked } = await cloudWith({});
    assert.deepEqual(await publicAddresses({ vpcId: "vpc-2", subnetIds: ["subnet-a", "subnet-b"], egress: "none" }), [
      false,
    ]);
    assert.deepEqual(asked, []);
    assert.deepEqual(await publicAddresses({ vpcId: "vpc-2", subnetIds: ["subnet-a", "subnet-b"] }), [false, false]);
  });
});
