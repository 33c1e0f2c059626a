import assert from "node:assert/strict";
import { newlyNamed, whyNot } from "../../stacks/named-addresses.ts";
import type { LastOutputs } from "../../stacks/outputs.ts";
import { exampleConfig } from "./shape.ts";

const free = {
  ...{ allocationId: "eipalloc-1", publicIp: "198.51.100.1", domain: "vpc" },
  ...{ holder: undefined, privateIp: undefined },
};

describe("an Elastic IP that the file names", () => {
  it("is new to a site that did not have it at its last update", () => {
    const config = exampleConfig((values) => {
      values.site.elasticIps = ["eipalloc-1", "eipalloc-2"];
    });
    const last = { outputs: { addresses: [{ allocationId: "eipalloc-1" }] } } as unknown as LastOutputs;
    assert.deepEqual(newlyNamed(config, last), ["eipalloc-2"]);
    assert.deepEqual(newlyNamed(config, undefined), ["eipalloc-1", "eipalloc-2"]);
    assert.deepEqual(newlyNamed(exampleConfig(), last), []);
  });

  it("can be the site's when it is free, or where a cut off update has put it", () => {
    assert.equal(whyNot("eipalloc-1", free, undefined), undefined);
    assert.equal(whyNot("eipalloc-1", { ...free, holder: "i-1", privateIp: "10.0.0.4" }, "10.0.0.4"), undefined);
  });

  it("cannot be it when it is nowhere, not in a VPC, or somebody else's", () => {
    assert.match(whyNot("eipalloc-1", undefined, undefined) ?? "", /eipalloc-1 does not exist in this region/);
    assert.match(whyNot("eipalloc-1", { ...free, domain: "standard" }, undefined) ?? "", /is for standard/);
    const used = { ...free, holder: "eni-1", privateIp: "10.0.0.9" };
    assert.match(
      whyNot("eipalloc-1", used, undefined) ?? "",
      /is associated with eni-1, which is no server of this site/,
    );
  });

  it("cannot be it on another private address of a server than the first", () => {
    const second = { ...free, holder: "i-1", privateIp: "10.0.0.5" };
    assert.match(
      whyNot("eipalloc-1", second, "10.0.0.4") ?? "",
      /is associated with 10\.0\.0\.5 of i-1, and .* its first private address, 10\.0\.0\.4\. Free it first/,
    );
  });
});
