import assert from "node:assert/strict";
import type { Aws } from "../../../automation/cloud/aws.ts";
import { checkImage } from "../../../automation/run/image.ts";
import type { GenerationConfig } from "../../../stacks/config.ts";

/** An image of 8 GiB. */
const aws = {
  image: async () => ({
    Architecture: "x86_64",
    RootDeviceName: "/dev/xvda",
    BlockDeviceMappings: [
      { DeviceName: "/dev/sdb", Ebs: { VolumeSize: 100 } },
      { DeviceName: "/dev/xvda", Ebs: { VolumeSize: 8 } },
    ],
  }),
  architecturesOf: async () => ["x86_64"],
} as unknown as Aws;

async function problemOf(rootBlockDevice?: GenerationConfig["rootBlockDevice"]): Promise<string> {
  const generation = { name: "green", imageId: "ami-1", instanceType: "t3.small", frontends: 2, inputs: {}, tags: {} };
  try {
    const given = rootBlockDevice === undefined ? generation : { ...generation, rootBlockDevice };
    await checkImage(aws, given, AbortSignal.timeout(1000));
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

describe("an image", () => {
  it("fits on a root volume of its own size, or of a larger one", async () => {
    for (const root of [undefined, {}, { volumeSize: 8 }, { volumeType: "io2", iops: 8000 }, { volumeSize: 9 }])
      assert.equal(await problemOf(root), "");
  });

  it("does not fit on a smaller one", async () => {
    assert.match(
      await problemOf({ volumeSize: 7 }),
      /^handover:generations\.green\.rootBlockDevice\.volumeSize: 7 is smaller than the root volume of ami-1; write 8 or more$/,
    );
  });

  it("says how large a volume is that states its speed alone", async () => {
    assert.match(
      await problemOf({ volumeType: "io1", iops: 500 }),
      /rootBlockDevice\.iops: 500 is more than 50 for each GiB; io1 of 8 GiB takes 400$/,
    );
  });
});
