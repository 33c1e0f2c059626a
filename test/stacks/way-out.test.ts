import assert from "node:assert/strict";
import { wayOutBy } from "../../stacks/way-out.ts";

const local = { destination: "10.20.0.0/16", target: "local" };
const to = (target: string | undefined, destination = "0.0.0.0/0") => [local, { destination, target }];

describe("a way to the Internet", () => {
  for (const [routes, way] of [
    [to("igw-1"), "public address"],
    [to("nat-1"), "no address"],
    [to("eni-1"), "no address"],
    [to("tgw-1"), "no address"],
    [to("vgw-1"), "no address"],
    [to("vpce-1"), "no address"],
    [
      [local, { destination: "0.0.0.0/1", target: "tgw-1" }, { destination: "128.0.0.0/1", target: "tgw-1" }],
      "no address",
    ],
    [to("eigw-1", "::/0"), "no address"],
    [[...to("igw-1"), { destination: "::/0", target: "eigw-1" }], "public address"],
    [[local], "none"],
    [[], "none"],
    [to(undefined), "none"],
    [to("igw-1", "192.0.2.0/24"), "none"],
    [[local, { destination: undefined, target: "vpce-1" }], "none"],
  ] as const)
    it(`is "${way}" by ${JSON.stringify(routes.map(({ destination, target }) => `${destination} ${target}`))}`, () => {
      assert.equal(wayOutBy(routes), way);
    });
});
