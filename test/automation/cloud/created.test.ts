import assert from "node:assert/strict";
import { type Clients, findCreated } from "../../../automation/cloud/created.ts";
import { resourceTypes } from "../../../provider/resources/index.ts";

/** EC2 as far as it is asked, with the filters that it was asked with. */
function world() {
  const asked: unknown[] = [];
  const ec2 = {
    send: async ({ input }: { input: { Filters?: unknown } }) => {
      asked.push(input.Filters);
      return { Vpcs: [{ VpcId: "vpc-1" }] };
    },
  };
  return { asked, clients: { ec2 } as unknown as Clients };
}

describe("what a killed engine may have created", () => {
  it("is looked for by all of its tags where AWS gives it no name", async () => {
    const { asked, clients } = world();
    const tags = { Name: "handover-www", "handover:site": "handover-www" };
    assert.deepEqual(await findCreated("aws:ec2/vpc:Vpc", { tags }, clients), ["vpc-1"]);
    assert.deepEqual(asked, [
      [
        { Name: "tag:Name", Values: ["handover-www"] },
        { Name: "tag:handover:site", Values: ["handover-www"] },
      ],
    ]);
  });

  it("is no address that a server holds: that is somebody's, with the same tags or not", async () => {
    const Addresses = [{ AllocationId: "eipalloc-1", AssociationId: "eipassoc-1" }, { AllocationId: "eipalloc-2" }];
    const clients = { ec2: { send: async () => ({ Addresses }) } } as unknown as Clients;
    assert.deepEqual(await findCreated("aws:ec2/eip:Eip", { tags: { Name: "www" } }, clients), ["eipalloc-2"]);
  });

  it("is no table of another site of the same name", async () => {
    const ofTable = (id: string) =>
      findCreated("aws:dynamodb/table:Table", { name: "handover-www", tags: { "handover:site-id": id } }, {
        dynamodb: {
          send: async ({ input }: { input: { TableName?: string } }) =>
            input.TableName === undefined
              ? { Tags: [{ Key: "handover:site-id", Value: "ours" }] }
              : { Table: { TableName: input.TableName, TableArn: "arn:table" } },
        },
      } as unknown as Clients);
    assert.deepEqual(await ofTable("ours"), ["handover-www"]);
    assert.deepEqual(await ofTable("another"), []);
  });

  it("is never anybody's in the account: without tags nothing is asked", async () => {
    const { asked, clients } = world();
    await assert.rejects(findCreated("aws:ec2/vpc:Vpc", {}, clients), /without tags/);
    assert.deepEqual(asked, []);
  });

  it("is looked for whatever its type, but for those that cannot be there twice or are not the program's", async () => {
    const unanswered = "nothing answers";
    const clients = new Proxy({}, { get: () => assert.fail(unanswered) }) as Clients;
    const notLookedFor = [];
    for (const type of Object.keys(resourceTypes)) {
      const found = await findCreated(type, { tags: { a: "b" } }, clients).catch((error: Error) => error.message);
      if (found === undefined) notLookedFor.push(type);
      else assert.equal(found, unanswered, type);
    }
    assert.deepEqual(notLookedFor.sort(), [
      "aws:autoscaling/policy:Policy",
      "aws:autoscaling/schedule:Schedule",
      "aws:ebs/volume:Volume",
      "aws:ec2/eipAssociation:EipAssociation",
      "aws:ec2/routeTableAssociation:RouteTableAssociation",
      "aws:lb/listenerCertificate:ListenerCertificate",
      "aws:lb/targetGroupAttachment:TargetGroupAttachment",
      "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
      "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    ]);
  });

  it("is not looked for where creating it twice does no harm", async () => {
    assert.equal(await findCreated("aws:ec2/eipAssociation:EipAssociation", {}, world().clients), undefined);
  });
});
