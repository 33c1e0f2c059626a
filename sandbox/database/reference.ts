import { CreateVolumeCommand, DescribeAvailabilityZonesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { CreateDBInstanceCommand, RDSClient } from "@aws-sdk/client-rds";

/** Creates the volume or RDS instance that the site's database reference names, as on the real site. */
export async function createDatabase(
  like: object | undefined,
  region: string,
): Promise<Record<string, string> | undefined> {
  if (like === undefined) return undefined;
  return "dbInstanceIdentifier" in like
    ? createDbInstance(String(like.dbInstanceIdentifier), region)
    : createVolume(region);
}

async function createVolume(region: string): Promise<Record<string, string>> {
  const ec2 = new EC2Client({ region });
  try {
    const { AvailabilityZones = [] } = await ec2.send(new DescribeAvailabilityZonesCommand({}));
    const AvailabilityZone = AvailabilityZones[0]?.ZoneName;
    const { VolumeId = "" } = await ec2.send(
      new CreateVolumeCommand({ AvailabilityZone, Size: 8, VolumeType: "gp3", Encrypted: true }),
    );
    return { volumeId: VolumeId };
  } finally {
    ec2.destroy();
  }
}

async function createDbInstance(identifier: string, region: string): Promise<Record<string, string>> {
  const rds = new RDSClient({ region });
  try {
    await rds.send(
      new CreateDBInstanceCommand({
        DBInstanceIdentifier: identifier,
        DBInstanceClass: "db.t4g.micro",
        Engine: "postgres",
        AllocatedStorage: 20,
        StorageEncrypted: true,
        MasterUsername: "site",
        ManageMasterUserPassword: true,
      }),
    );
    return { dbInstanceIdentifier: identifier };
  } finally {
    rds.destroy();
  }
}
