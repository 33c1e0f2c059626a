import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { ArrayFacts } from "../../stacks/array-facts.ts";
import type { Intent } from "../../stacks/intent.ts";
import type { NamedAddress } from "../../stacks/named-addresses.ts";
import { Site } from "../../stacks/site.ts";
import { exampleConfig } from "./shape.ts";

export interface Registered {
  readonly type: string;
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: a mock sees inputs of every type
  readonly inputs: Record<string, any>;
  /** Paths whose changes are ignored. */
  readonly ignored?: readonly string[];
}

let registered: Registered[] = [];

/** Secrets arrive wrapped, under this key. */
const secretSignature = "4dabf18193072939515e22adb298388d";

function reveal(inputs: Registered["inputs"]): Registered["inputs"] {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [
      name,
      value?.[secretSignature] === undefined ? value : `secret: ${value.value}`,
    ]),
  );
}

/**
 * What the resources of a site would be created with, by the engine's words.
 * @param tableId the id that the table has; "in use" for one that cannot be made
 */
export async function resourcesOf(
  desired: Intent,
  config = exampleConfig(),
  arrayFacts: ArrayFacts = { stated: false },
  tableId?: string,
  namedAddresses: readonly (NamedAddress | undefined)[] = [],
): Promise<Registered[]> {
  registered = [];
  const ignored = new Map<string, readonly string[] | undefined>();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        registered.push({ type, name, inputs: reveal(inputs), ignored: ignored.get(`${type} ${name}`) });
        if (type.endsWith(":Table") && tableId === "in use") throw new Error("the table is in use");
        const tags = type.endsWith(":Table") && tableId !== undefined && { tags: { "handover:site-id": tableId } };
        return {
          id: `${name}-id`,
          state: { ...inputs, arn: `arn:${name}`, arnSuffix: `suffix/${name}`, latestVersion: 3, ...tags },
        };
      },
      call: ({ token }) => (token.includes("getAvailabilityZones") ? { names: ["us-east-1a", "us-east-1b"] } : {}),
    },
    "handover",
    "test",
  );
  const args = {
    config,
    intent: desired,
    owner: { site: "handover-test", id: "0123456789abcdef" },
    rootDeviceNames: { blue: "/dev/xvda", green: "/dev/xvda" },
    publicAddresses: [true],
    userData: (name: string) => `user data of ${name}`,
    arrayFacts,
    namedAddresses,
  };
  const noteIgnored: pulumi.ResourceTransformation = ({ type, name, opts }) => {
    ignored.set(`${type} ${name}`, (opts as pulumi.CustomResourceOptions).ignoreChanges);
    return undefined;
  };
  new Site("site", args, { transformations: [noteIgnored] });
  await pulumi.runtime.disconnect();
  return registered;
}

export function namesOf(resources: readonly Registered[]): string[] {
  return resources.map(({ type, name }) => `${type.replace(/^aws:.*:/, "")} ${name}`).sort();
}

export function only(resources: readonly Registered[], type: string, name: string): Registered["inputs"] {
  const found = resources.filter((resource) => resource.type.endsWith(`:${type}`) && resource.name === name);
  assert.equal(found.length, 1, `${type} ${name}`);
  return found[0]?.inputs ?? {};
}
