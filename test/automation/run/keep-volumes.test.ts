import assert from "node:assert/strict";
import type { Operation } from "../../../automation/engine/operation.ts";
import { endingServers, keepVolumes } from "../../../automation/run/keep-volumes.ts";
import { types } from "../../../stacks/names.ts";
import type { Outputs } from "../../../stacks/outputs.ts";

const { signal } = new AbortController();
const server = (name: string) => ({ name, instanceId: `i-${name}`, privateIp: "10.0.0.1" });
const outputs = {
  generations: {
    blue: { frontends: [server("blue-1"), server("blue-2")], array: { name: "www-blue" } },
    green: { frontends: [server("green-1")] },
  },
} as unknown as Outputs;
const operation = (op: string, type: string, name: string) =>
  ({ op, type, name, properties: [] }) as unknown as Operation;
const arrays = { servers: async (names: readonly string[]) => names.map((name) => server(`${name}-a`)) };

/** Servers with a volume of data each, of which one already stays. */
class Disks {
  readonly kept: string[] = [];
  denied = false;
  readonly volumes = {
    beside: async (ids: readonly string[]) =>
      ids.map((instanceId) => ({
        volumeId: `vol-${instanceId}`,
        device: "/dev/sdf",
        instanceId,
        endsWithServer: instanceId !== "i-blue-2" && !this.kept.includes(instanceId),
      })),
    keep: async ({ instanceId }: { readonly instanceId: string }) => {
      if (this.denied) throw new Error("UnauthorizedOperation");
      this.kept.push(instanceId);
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: a fake of AWS's part
const as = (part: object): any => part;

describe("the disks of servers that end", () => {
  const endsAll = [
    operation("delete", types.instance, "blue-1"),
    operation("delete", types.instance, "blue-2"),
    operation("delete", types.autoScalingGroup, "blue"),
    operation("delete", types.targetGroupAttachment, "blue-1"),
  ];

  it("are those of the servers that a plan deletes, an array's too, and of no other", async () => {
    const servers = await endingServers(endsAll, outputs, as({ arrays }))?.(signal);
    assert.deepEqual(
      servers?.map(({ instanceId }) => instanceId),
      ["i-blue-1", "i-blue-2", "i-www-blue-a"],
    );
    const one = [operation("delete", types.instance, "blue-2"), operation("update", types.instance, "green-1")];
    assert.deepEqual((await endingServers(one, outputs, as({ arrays }))?.(signal))?.length, 1);
    assert.equal(endingServers([operation("update", types.instance, "blue-1")], outputs, as({ arrays })), undefined);
  });

  it("are kept, each that would have ended", async () => {
    const disks = new Disks();
    const servers = endingServers(endsAll, outputs, as({ arrays }));
    assert.ok(servers);
    const { kept, problems } = await keepVolumes(servers, as(disks), signal);
    assert.deepEqual([disks.kept, problems], [["i-blue-1", "i-www-blue-a"], []]);
    assert.deepEqual(
      kept.map(({ volumeId }) => volumeId),
      ["vol-i-blue-1", "vol-i-www-blue-a"],
    );
  });

  it("are told as not kept where AWS does not allow it, or cannot be asked", async () => {
    const disks = new Disks();
    disks.denied = true;
    const servers = async () => [server("blue-1")];
    assert.deepEqual(await keepVolumes(servers, as(disks), signal), { kept: [], problems: ["UnauthorizedOperation"] });
    const blind = async () => {
      throw new Error("no route");
    };
    assert.deepEqual(await keepVolumes(blind, as(disks), signal), { kept: [], problems: ["no route"] });
  });
});
