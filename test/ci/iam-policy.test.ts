import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { actionsOf, type Policy } from "../../sandbox/iam-policy.ts";
import { projectDirectory } from "../../stacks/project.ts";

/** The name that a client's calls are signed with. */
const services: Readonly<Record<string, string>> = {
  "auto-scaling": "autoscaling",
  cloudwatch: "monitoring",
  "cloudwatch-logs": "logs",
  "elastic-load-balancing-v2": "elasticloadbalancing",
  "service-quotas": "servicequotas",
};

/** The calls that the code of a folder can make, by the commands and paginators that it imports. */
function callsIn(folder: string): string[] {
  const files = readdirSync(join(projectDirectory, folder), { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => {
      const text = readFileSync(join(projectDirectory, folder, file), "utf8");
      return [...text.matchAll(/import \{([^}]*)\} from "@aws-sdk\/client-([\w-]+)"/g)].flatMap(
        ([, names = "", client = ""]) =>
          [...names.matchAll(/\b(?:paginate)?([A-Z]\w*?)(Command)?\b(?=\s*(?:,|$))/gm)].flatMap(
            ([whole, name, command]) =>
              command !== undefined || whole.startsWith("paginate") ? [`${services[client] ?? client}.${name}`] : [],
          ),
      );
    });
}

/** The engine's own, where a key of KMS encrypts the stack's secrets. */
const engineCalls = ["kms.Decrypt"];

/** Made by the official plugin and not by the sandbox's: recorded with `HANDOVER_SANDBOX_PLUGIN`. */
const officialCalls = [
  "autoscaling.DescribeLoadBalancerTargetGroups",
  "ec2.DescribeAddressesAttribute",
  "ec2.DescribeInstanceCreditSpecifications",
  "ec2.DescribeTags",
  "ec2.GetInstanceUefiData",
  "elasticloadbalancing.DescribeCapacityReservation",
  "elasticloadbalancing.DescribeListenerAttributes",
];

const policy = JSON.parse(readFileSync(join(projectDirectory, "docs", "iam-policy.json"), "utf8")) as Policy;
const allowed = policy.Statement.flatMap(({ Action }) => Action);

describe("docs/iam-policy.json", () => {
  it("allows every action of the driver and of doctor", () => {
    // Who may assume the role is another identity, and of the role itself it is the trust policy that says so.
    const needed = actionsOf(callsIn("automation")).filter((action) => !action.startsWith("sts:AssumeRole"));
    assert.ok(needed.includes("ec2:DescribeInstances") && needed.includes("dynamodb:Query"), needed.join());
    assert.deepEqual(
      needed.filter((action) => !allowed.includes(action)),
      [],
    );
  });

  it("allows no action that neither they nor the program's resources make", () => {
    const made = actionsOf([...callsIn("automation"), ...callsIn("provider"), ...officialCalls, ...engineCalls]);
    assert.deepEqual(
      allowed.filter((action) => !made.includes(action)),
      [],
    );
  });
});
