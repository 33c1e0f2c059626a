import assert from "node:assert/strict";
import { chaos } from "../../../sandbox/chaos/chaos.ts";
import { allPoints, nameOf } from "../../../sandbox/chaos/points.ts";

describe("chaos", () => {
  const chosen = ["launch-first/during/driver", "move-addresses/during/engine"];
  const environment = { ...process.env };
  after(() => {
    process.env = environment;
  });

  it("reaches the goal after a kill -9 of the driver and of the engine, with nothing lost, doubled or left over", async () => {
    const points = allPoints.filter((point) => chosen.includes(nameOf(point)));
    const rows = await chaos({ name: "sandbox-chaos-part", points, seed: 1, onRow: () => {} });
    assert.deepEqual(
      rows.map(({ point, problems, failed }) => ({ point, problems, failed })),
      chosen.map((point) => ({ point, problems: [], failed: 0 })),
    );
  });
});
