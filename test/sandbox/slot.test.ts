import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { freeSlot, slot, slotCount } from "../../sandbox/slot.ts";

describe("a sandbox's slot", () => {
  it("is not free where something else has its plugin's port", async () => {
    const { number, provider } = await freeSlot();
    const server = createServer().listen(provider);
    await once(server, "listening");
    try {
      assert.notEqual((await freeSlot()).number, number);
    } finally {
      server.close();
    }
  });

  it("has a port for its plugin alone, which no connection takes by itself", () => {
    const ports = Array.from({ length: slotCount }, (_, number) => slot(number).provider.port);
    assert.equal(new Set(ports).size, slotCount);
    // https://docs.kernel.org/networking/ip-sysctl.html: ip_local_port_range begins with 32768.
    assert.ok(ports.every((port) => port > 1024 && port < 32_768));
  });
});
