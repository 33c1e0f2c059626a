import assert from "node:assert/strict";
import { CreateSnapshotCommand, DescribeSnapshotsCommand } from "@aws-sdk/client-ec2";
import { CreateDBInstanceCommand, ModifyDBSnapshotAttributeCommand } from "@aws-sdk/client-rds";
import { tagList } from "../../provider/tags.ts";
import { cloudForTests } from "../sandbox/support.ts";
import { type Deployed, Harness } from "./harness.ts";

const ebs = "aws:ebs/snapshot:Snapshot";
const rds = "aws:rds/snapshot:Snapshot";

describe("The provider's snapshots", function () {
  this.timeout(60_000);
  let harness: Harness;
  let volume: Deployed;
  let volumes = 0;

  before(async () => {
    harness = new Harness(await cloudForTests({ snapshotSeconds: 1 }));
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

  beforeEach(async () => {
    // Of a name of its own: the same creation again would get the same volume.
    const name = `volume-${++volumes}`;
    volume = await harness.create("aws:ebs/volume:Volume", name, { availabilityZone: "us-east-1a", size: 8 });
  });

  after(() => harness?.cloud.stop());

  const tags = { Name: "shop-backup", "handover:run": "by-hand" };
  const program = () => ({ volumeId: volume.id, description: "Before an upgrade", tags });

  /** A snapshot whose creation was cut off before the engine knew of it. */
  async function leaveBehind(settings: Partial<ReturnType<typeof program>> = {}): Promise<string> {
    const { volumeId, description, tags: own } = { ...program(), ...settings };
    const TagSpecifications = [{ ResourceType: "snapshot" as const, Tags: tagList(own) }];
    const command = new CreateSnapshotCommand({ VolumeId: volumeId, Description: description, TagSpecifications });
    return (await harness.cloud.ec2.send(command)).SnapshotId ?? "";
  }

  async function count(): Promise<number> {
    const Filters = [{ Name: "volume-id", Values: [volume.id] }];
    return (await harness.cloud.ec2.send(new DescribeSnapshotsCommand({ Filters }))).Snapshots?.length ?? 0;
  }

  it("waits for the pending snapshot that a cut-off creation left behind, instead of taking a second one", async () => {
    const left = await leaveBehind();
    const { id } = await harness.create(ebs, "adopting", program());
    assert.equal(id, left);
    assert.equal(await count(), 1);
  });

  it("never takes a completed snapshot for its own: it may be an earlier run's", async () => {
    const earlier = await harness.create(ebs, "earlier", program());
    const { id } = await harness.create(ebs, "later", program());
    assert.notEqual(id, earlier.id);
    assert.equal(await count(), 2);
  });

  for (const [what, other] of Object.entries({
    tags: { tags: { ...tags, "handover:run": "another" } },
    description: { description: "by somebody else" },
  })) {
    it(`does not adopt a pending snapshot with another ${what}`, async () => {
      const foreign = await leaveBehind(other as Partial<ReturnType<typeof program>>);
      const { id } = await harness.create(ebs, `other-${what}`, program());
      assert.notEqual(id, foreign);
    });
  }

  it("does not adopt what the state holds, when it replaces it", async () => {
    const held = await harness.create(ebs, "held", program());
    const pending = await leaveBehind();
    const inputs = harness.check(held.urn, held.inputs, program());
    const { id } = await harness.provider.create({ urn: held.urn }, inputs, false);
    assert.notEqual(id, pending);
    assert.notEqual(id, held.id);
  });

  it("moves a snapshot to the archive in place, and refuses to fetch it from there", async () => {
    const archived = { ...program(), storageTier: "archive" };
    const standard = await harness.create(ebs, "tier", program());
    assert.deepEqual(harness.diff(standard, archived).differences, [
      { path: "storageTier", kind: "update", replace: false },
    ]);
    const deployed = await harness.update(standard, archived);
    assert.equal(deployed.state.storageTier, "archive");
    assert.deepEqual((await harness.refresh(deployed))?.inputs, deployed.inputs);
    await assert.rejects(harness.update(deployed, { ...program(), storageTier: "standard" }), /not supported/);
  });

  it("shares an rds snapshot with accounts, and a refresh finds what was changed by hand", async () => {
    const named = { dbInstanceIdentifier: "shop", dbSnapshotIdentifier: "shop-shared", tags };
    let deployed = await harness.create(rds, "shared", { ...named, sharedAccounts: ["111111111111"] });
    assert.deepEqual((await harness.refresh(deployed))?.inputs, deployed.inputs);
    const program = { ...named, sharedAccounts: ["222222222222"] };
    assert.ok(!harness.diff(deployed, program).differences.some(({ replace }) => replace));
    deployed = await harness.update(deployed, program);
    assert.deepEqual(deployed.state.sharedAccounts, ["222222222222"]);
    const { id: DBSnapshotIdentifier } = deployed;
    await harness.cloud.rds.send(
      new ModifyDBSnapshotAttributeCommand({
        DBSnapshotIdentifier,
        AttributeName: "restore",
        ValuesToRemove: ["222222222222"],
      }),
    );
    const refreshed = await harness.refresh(deployed);
    assert.equal(refreshed?.inputs.sharedAccounts, undefined);
  });
});
