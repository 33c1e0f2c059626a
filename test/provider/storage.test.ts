import assert from "node:assert/strict";
import { CreateDBInstanceCommand } from "@aws-sdk/client-rds";
import { type Deployed, Harness } from "./harness.ts";
import { itLivesAs } from "./lifecycle.ts";

describe("The provider's storage", function () {
  this.timeout(60_000);
  let harness: Harness;
  let volume: Deployed;
  const tags = { Name: "shop-database", "handover:site": "shop" };

  before(async () => {
    harness = await Harness.start();
    volume = await harness.create("aws:ebs/volume:Volume", "volume", { availabilityZone: "us-east-1a", size: 8 });
    await harness.cloud.rds.send(
      new CreateDBInstanceCommand({
        DBInstanceIdentifier: "shop",
        DBInstanceClass: "db.t3.micro",
        Engine: "postgres",
        AllocatedStorage: 20,
        MasterUsername: "shop",
        MasterUserPassword: "not-a-secret",
      }),
    );
  });

  after(() => harness?.cloud.stop());

  itLivesAs(
    "a Volume",
    () => harness,
    () => ({
      token: "aws:ebs/volume:Volume",
      inputs: { availabilityZone: "us-east-1a", size: 8, type: "gp3", tags },
      change: { size: 16, tags: { Name: "other" } },
      replace: { availabilityZone: "us-east-1b", encrypted: true },
    }),
  );

  itLivesAs(
    "an ebs Snapshot",
    () => harness,
    () => ({
      token: "aws:ebs/snapshot:Snapshot",
      inputs: { volumeId: volume.id, description: "Before an upgrade", tags },
      change: { tags: { Name: "other" } },
      replace: { volumeId: "vol-0", description: "other" },
    }),
  );

  itLivesAs(
    "an rds Snapshot",
    () => harness,
    () => ({
      token: "aws:rds/snapshot:Snapshot",
      inputs: { dbInstanceIdentifier: "shop", dbSnapshotIdentifier: "shop-42", tags },
      change: { tags: { Name: "other" } },
      replace: { dbInstanceIdentifier: "other", dbSnapshotIdentifier: "other" },
      outputs: ["dbSnapshotArn", "engine"],
    }),
  );

  const ledger = {
    name: "handover-test",
    billingMode: "PAY_PER_REQUEST",
    hashKey: "pk",
    rangeKey: "sk",
    attributes: [
      { name: "pk", type: "S" },
      { name: "sk", type: "S" },
    ],
    pointInTimeRecovery: { enabled: true },
    tags,
  };

  itLivesAs(
    "a Table",
    () => harness,
    () => ({
      token: "aws:dynamodb/table:Table",
      inputs: ledger,
      change: {
        pointInTimeRecovery: { enabled: false },
        ttl: { attributeName: "expires", enabled: true },
        tags: { Name: "other" },
      },
      replace: { name: "other", hashKey: "id", rangeKey: "other" },
    }),
  );

  it("adopts a table of the same name only with the same tags", async () => {
    const token = "aws:dynamodb/table:Table";
    const first = await harness.create(token, "ledger", ledger);
    const second = await harness.create(token, "ledger", ledger);
    assert.equal(second.id, first.id);
    const foreign = harness.create(token, "ledger", { ...ledger, tags: { Name: "theirs" } });
    await assert.rejects(foreign, { name: "ResourceInUseException" });
  });
});
