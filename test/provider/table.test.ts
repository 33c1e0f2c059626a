import assert from "node:assert/strict";
import { UpdateTableCommand } from "@aws-sdk/client-dynamodb";
import type { Properties } from "../../provider/values.ts";
import { Harness } from "./harness.ts";

const token = "aws:dynamodb/table:Table";

describe("The provider's tables", function () {
  this.timeout(60_000);
  let harness: Harness;

  before(async () => {
    harness = await Harness.start();
  });

  after(() => harness?.cloud.stop());

  const program = { hashKey: "pk", attributes: [{ name: "pk", type: "S" }], tags: { Name: "jobs" } };

  it("have the capacity that the program says, and change between provisioned and on demand in place", async () => {
    const provisioned = { ...program, readCapacity: 3, writeCapacity: 2 };
    let deployed = await harness.create(token, "jobs", provisioned);
    assert.match(deployed.id, /^jobs-[0-9a-f]{7}$/);
    assert.deepEqual([deployed.state.readCapacity, deployed.state.writeCapacity], [3, 2]);
    const onDemand = { ...program, billingMode: "PAY_PER_REQUEST" };
    assert.ok(!harness.diff(deployed, onDemand).differences.some(({ replace }) => replace));
    deployed = await harness.update(deployed, onDemand);
    assert.equal(deployed.state.billingMode, "PAY_PER_REQUEST");
    assert.deepEqual((await harness.refresh(deployed))?.inputs, deployed.inputs);
  });

  it("show in a refresh what was changed by hand", async () => {
    const deployed = await harness.create(token, "changed", { ...program, billingMode: "PAY_PER_REQUEST" });
    await harness.cloud.dynamodb.send(
      new UpdateTableCommand({ TableName: deployed.id, DeletionProtectionEnabled: true }),
    );
    assert.equal((await harness.refresh(deployed))?.inputs.deletionProtectionEnabled, true);
  });

  it("are not adopted when the state holds one of this name", async () => {
    const named = { ...program, name: "held", billingMode: "PAY_PER_REQUEST" };
    const { urn, inputs } = await harness.create(token, "held", named);
    const repeated = harness.provider.create({ urn }, harness.check(urn, inputs, named), false);
    await assert.rejects(repeated, { name: "ResourceInUseException" });
  });

  it("are encrypted with a key of the account's, if the program says so, and that can change in place", async () => {
    const serverSideEncryption = { enabled: true };
    let deployed = await harness.create(token, "secret", { ...program, serverSideEncryption });
    const key = (deployed.state.serverSideEncryption as Properties).kmsKeyArn;
    assert.match(String(key), /^arn:aws:kms:/);
    assert.deepEqual((await harness.refresh(deployed))?.inputs, deployed.inputs);
    const plain = { ...program, serverSideEncryption: { enabled: false } };
    assert.ok(!harness.diff(deployed, plain).differences.some(({ replace }) => replace));
    deployed = await harness.update(deployed, plain);
    assert.deepEqual(deployed.state.serverSideEncryption, { enabled: false, kmsKeyArn: "" });
    assert.deepEqual((await harness.refresh(deployed))?.inputs, deployed.inputs);
  });

  for (const [input, value] of Object.entries({
    streamEnabled: true,
    tableClass: "STANDARD_INFREQUENT_ACCESS",
    globalSecondaryIndexes: [],
    replicas: [],
  })) {
    it(`refuse ${input}, which the sandbox cannot honour`, async () => {
      const creation = harness.create(token, "refused", { ...program, [input]: value });
      await assert.rejects(creation, { message: `${input} is not supported by Handover's provider` });
    });
  }
});
