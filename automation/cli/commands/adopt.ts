import { exitCodes, HandoverError } from "../../errors.ts";
import { type Command, print, printJson } from "./command.ts";

interface Arguments {
  readonly stack: string;
  readonly "load-balancer": string;
  readonly "listener-port"?: number;
  readonly hostname: string;
  readonly "test-hostname"?: string;
  readonly generation: string;
  readonly database?: string;
  readonly region?: string;
  readonly force: boolean;
}

export const adoptCommand: Command<Arguments> = {
  command: "adopt",
  task: "begin",
  describe: "write the configuration of a running site that was made by hand, and the file for `pulumi import`",
  examples: [
    [
      "adopt --stack www --load-balancer www-alb --hostname www.example.com",
      "the servers behind the load balancer become generation blue",
    ],
    [
      "adopt --stack www --load-balancer www-alb --hostname www.example.com --database vol-0a1b2c3d",
      "the same, with the database to back up",
    ],
  ],
  builder: {
    stack: { type: "string", demandOption: true, requiresArg: true, describe: "name for the new stack" },
    "load-balancer": {
      type: "string",
      demandOption: true,
      requiresArg: true,
      describe: "name or ARN of the load balancer",
    },
    "listener-port": {
      type: "number",
      requiresArg: true,
      describe: "port of the listener that serves the site (default: the only one that forwards)",
    },
    hostname: { type: "string", demandOption: true, requiresArg: true, describe: "host name that users ask for" },
    "test-hostname": {
      type: "string",
      requiresArg: true,
      describe: "host name for the generation under test (default: test.… of the same domain)",
    },
    generation: {
      type: "string",
      default: "blue",
      requiresArg: true,
      describe: "name for the existing servers' generation",
    },
    database: { type: "string", requiresArg: true, describe: "EBS volume or RDS instance to back up in each run" },
    region: { type: "string", requiresArg: true, describe: "AWS region (default: the ARN's, or AWS_REGION)" },
    force: { type: "boolean", default: false, describe: "overwrite existing files" },
  },
  async run(args) {
    const { adopt } = await import("../../adopt/adopt.ts");
    const { stack, hostname, generation, database } = args;
    const asked = {
      stack,
      hostname,
      generation,
      region: regionOf(args),
      loadBalancer: args["load-balancer"],
      testHostname: args["test-hostname"] ?? `test.${hostname.replace(/^www\./, "")}`,
      ...(args["listener-port"] !== undefined && { listenerPort: args["listener-port"] }),
      ...(database !== undefined && { database }),
    };
    const { files, frontends, elasticIps, resources, remarks, next } = await adopt(asked, { force: args.force });
    const written = Object.keys(files);
    if (args.json) {
      printJson("adopt", { stack, files: written, generation, frontends, elasticIps, resources, remarks, next });
      return exitCodes.reached;
    }
    print([
      `${frontends.length} servers as generation ${generation}, with ${elasticIps} Elastic IPs: ${frontends.join(", ")}`,
      ...written.map((file) => `wrote ${file}`),
      ...remarks.map((remark) => `note: ${remark}`),
      "Next, with a Pulumi backend of your choice:",
      ...next.map((command) => `  ${command}`),
      "`pulumi up` adds the ledger's table, a launch template and the rule for the test host name, and leaves what serves unchanged.",
    ]);
    return exitCodes.reached;
  },
};

function regionOf({ region, "load-balancer": loadBalancer }: Arguments): string {
  const [, ofArn] = /^arn:[^:]+:elasticloadbalancing:([a-z0-9-]+):/.exec(loadBalancer) ?? [];
  const found = region ?? ofArn ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  if (found !== undefined && found !== "") return found;
  throw new HandoverError(
    "usage",
    exitCodes.usage,
    "Name the region, for example --region us-east-1. Nothing was written.",
  );
}
