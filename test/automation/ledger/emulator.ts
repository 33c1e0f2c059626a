import { cloudForTests, type TestCloud } from "../../sandbox/support.ts";

let cloud: TestCloud;

/** Starts the sandbox's cloud. Like DynamoDB, and unlike bare moto, it decides a conditional write as a whole. */
export async function startDynamoDb(): Promise<void> {
  cloud = await cloudForTests();
  process.env.AWS_ENDPOINT_URL = cloud.url;
}

export async function stopDynamoDb(): Promise<void> {
  delete process.env.AWS_ENDPOINT_URL;
  await cloud.stop();
}
