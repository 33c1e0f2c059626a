import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { siteNames } from "./names.ts";
import { type Owner, tags } from "./tags.ts";

/** The table's name, known before the stack is: the lease in it is taken before anything else happens. */
export function ledgerTableName(stack: string): string {
  return `handover-${stack}`;
}

/** The DynamoDB table that holds the runs' journal and their lease (automation/ledger/). */
export function ledgerTable(stack: string, owner: Owner, opts: pulumi.CustomResourceOptions): aws.dynamodb.Table {
  return new aws.dynamodb.Table(
    siteNames.ledger,
    {
      name: ledgerTableName(stack),
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
    opts,
  );
}
