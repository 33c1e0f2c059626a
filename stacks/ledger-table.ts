import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { siteNames } from "./names.ts";
import { keepId, type Owner, tags } from "./tags.ts";

/**
 * The DynamoDB table that holds the runs' journal and their lease (automation/ledger/). It has the site's name, which is
 * known before the stack is: the lease in it is taken before anything else happens. So it is also what keeps a second
 * site of that name from being made.
 * @param isNew whether the site was never deployed completely: a table that is there has its id then
 */
export function ledgerTable(owner: Owner, isNew: boolean, opts: pulumi.CustomResourceOptions): aws.dynamodb.Table {
  return new aws.dynamodb.Table(
    siteNames.ledger,
    {
      name: owner.site,
      billingMode: "PAY_PER_REQUEST",
      hashKey: "pk",
      rangeKey: "sk",
      attributes: [
        { name: "pk", type: "S" },
        { name: "sk", type: "S" },
      ],
      pointInTimeRecovery: { enabled: true },
      tags: tags(siteNames.ledger, owner),
    },
    { ...opts, protect: true, ignoreChanges: isNew ? keepId : [] },
  );
}
