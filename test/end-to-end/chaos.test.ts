import assert from "node:assert/strict";
import { chaos } from "../../sandbox/chaos/chaos.ts";
import { allPoints, nameOf } from "../../sandbox/chaos/points.ts";

describe("chaos", () => {
  const chosen = [
    "settle/during/engine",
    "launch-first/during/driver",
    "connect/during/provider",
    "move-addresses-1/during/engine",
  ];
  const environment = { ...process.env };
  after(() => {
    process.env = environment;
  });

  it("reaches the goal after each kill -9, of the first deployment too, with nothing lost, doubled or left over", async () => {
    const points = allPoints.filter((point) => chosen.includes(nameOf(point)));
    const upgrades = await chaos({ name: "sandbox-chaos-part", points, seed: 1, onUpgrade: () => {} });
    assert.deepEqual(
      upgrades.map(({ rows, problems, failed }) => [rows.map((row) => [row.point, row.problems]), problems, failed]),
      [
        [[[chosen[0], []]], [], 0],
        [chosen.slice(1).map((point) => [point, []]), [], 0],
      ],
    );
  });
});
