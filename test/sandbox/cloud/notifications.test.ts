import assert from "node:assert/strict";
import { PutNotificationConfigurationCommand } from "@aws-sdk/client-auto-scaling";
import { Arrays } from "../../../automation/cloud/arrays.ts";
import { cloudForTests, type TestCloud } from "../support.ts";
import { Arrays as Groups } from "./array-world.ts";

describe("the cloud's notifications of arrays", () => {
  let cloud: TestCloud;
  before(async () => {
    cloud = await cloudForTests();
  });
  after(() => cloud.stop());

  it("are described with the array that has them, each type by itself", async () => {
    const groups = await Groups.in(cloud);
    const [told, quiet] = [await groups.create(0), await groups.create(0)];
    const TopicARN = "arn:aws:sns:us-east-1:123456789012:ops";
    const NotificationTypes = ["autoscaling:EC2_INSTANCE_LAUNCH", "autoscaling:EC2_INSTANCE_TERMINATE"];
    const command = new PutNotificationConfigurationCommand({
      AutoScalingGroupName: told,
      TopicARN,
      NotificationTypes,
    });
    await cloud.autoScaling.send(command);
    const arrays = new Arrays(cloud.autoScaling, cloud.ec2);
    assert.deepEqual(
      (await arrays.describe(told))?.notifications.map(({ TopicARN: topic, NotificationType }) => [
        topic,
        NotificationType,
      ]),
      NotificationTypes.map((type) => [TopicARN, type]),
    );
    assert.deepEqual((await arrays.describe(quiet))?.notifications, []);
  });
});
