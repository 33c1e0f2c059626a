import { type EC2Client, type Filter, type Instance, paginateDescribeInstances } from "@aws-sdk/client-ec2";

/** All instances of the account, also those that have ended: a page holds a hundred, and a long rehearsal has more. */
export async function allInstances(client: EC2Client, Filters?: Filter[]): Promise<Instance[]> {
  const instances: Instance[] = [];
  for await (const { Reservations = [] } of paginateDescribeInstances({ client }, { Filters }))
    instances.push(...Reservations.flatMap(({ Instances = [] }) => Instances));
  return instances;
}
