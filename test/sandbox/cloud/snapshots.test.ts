import assert from "node:assert/strict";
import { CreateSnapshotCommand, CreateVolumeCommand, DescribeSnapshotsCommand } from "@aws-sdk/client-ec2";
import {
  CreateDBInstanceCommand,
  CreateDBSnapshotCommand,
  DescribeDBSnapshotsCommand,
  ListTagsForResourceCommand,
} from "@aws-sdk/client-rds";
import { cloudForTests, errorCode, eventually, type TestCloud } from "../support.ts";

describe("The cloud's snapshots", () => {
  let cloud: TestCloud;
  before(async () => {
    cloud = await cloudForTests({ snapshotSeconds: 0.3 });
  });
  after(() => cloud.stop());

  const tags = [{ Key: "handover:site", Value: "site" }];

  it("of a volume are pending before they are completed, with their progress and tags", async () => {
    const { VolumeId } = await cloud.ec2.send(
      new CreateVolumeCommand({ AvailabilityZone: "us-east-1a", Size: 30, VolumeType: "gp3" }),
    );
    const { SnapshotId } = await cloud.ec2.send(
      new CreateSnapshotCommand({ VolumeId, TagSpecifications: [{ ResourceType: "snapshot", Tags: tags }] }),
    );
    const seen = new Set<string>();
    const done = await eventually(async () => {
      const { Snapshots } = await cloud.ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId ?? ""] }));
      seen.add(`${Snapshots?.[0]?.State} ${Snapshots?.[0]?.Progress}`);
      return Snapshots?.[0]?.State === "completed" && Snapshots[0];
    });
    assert.deepEqual([...seen], ["pending 0%", "completed 100%"]);
    assert.deepEqual(done.Tags, tags);
    assert.equal(done.VolumeSize, 30);
  });

  it("of one's own are told from those of public images", async () => {
    const { VolumeId } = await cloud.ec2.send(new CreateVolumeCommand({ AvailabilityZone: "us-east-1a", Size: 8 }));
    const { SnapshotId } = await cloud.ec2.send(new CreateSnapshotCommand({ VolumeId }));
    const { Snapshots = [] } = await cloud.ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"] }));
    assert.ok(Snapshots.some((each) => each.SnapshotId === SnapshotId));
    assert.deepEqual([...new Set(Snapshots.map(({ OwnerId }) => OwnerId))], ["123456789012"]);
  });

  it("of a database are creating before they are available, and a name is taken once", async () => {
    await cloud.rds.send(
      new CreateDBInstanceCommand({
        DBInstanceIdentifier: "database",
        Engine: "postgres",
        DBInstanceClass: "db.t3.micro",
        AllocatedStorage: 20,
        MasterUsername: "administrator",
        MasterUserPassword: "only-for-tests",
      }),
    );
    const input = { DBInstanceIdentifier: "database", DBSnapshotIdentifier: "before-run-1", Tags: tags };
    await cloud.rds.send(new CreateDBSnapshotCommand(input));
    const seen = new Set<string>();
    const done = await eventually(async () => {
      const { DBSnapshots } = await cloud.rds.send(
        new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: "before-run-1" }),
      );
      seen.add(`${DBSnapshots?.[0]?.Status} ${DBSnapshots?.[0]?.PercentProgress}`);
      return DBSnapshots?.[0]?.Status === "available" && DBSnapshots[0];
    });
    assert.deepEqual([...seen], ["creating 0", "available 100"]);
    const { TagList } = await cloud.rds.send(new ListTagsForResourceCommand({ ResourceName: done.DBSnapshotArn }));
    assert.deepEqual(TagList, tags);
    const again = cloud.rds.send(new CreateDBSnapshotCommand(input));
    assert.equal(await errorCode(again), "DBSnapshotAlreadyExistsFault");
  });
});
