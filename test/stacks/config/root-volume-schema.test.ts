import assert from "node:assert/strict";
import { problemsOf } from "../shape.ts";

const cases: [volume: Record<string, unknown>, problem: RegExp | undefined][] = [
  [{ volumeType: "io2" }, /\.iops: is missing, and io2 needs it, for example iops: 3000$/],
  [{ volumeType: "io1", volumeSize: 40 }, /\.iops: is missing, and io1 needs it/],
  [{ volumeType: "io2", volumeSize: 40, iops: 3000 }, undefined],
  [
    { volumeType: "io1", volumeSize: 10, iops: 600 },
    /\.iops: 600 is more than 50 for each GiB; io1 of 10 GiB takes 500$/,
  ],
  [{ volumeType: "io1", volumeSize: 2, iops: 100 }, /\.volumeSize: must be from 4 to 16384 for io1$/],
  [{ volumeType: "gp2", iops: 3000 }, /\.iops: is for gp3, io1 and io2, not for gp2; remove it$/],
  [{ volumeType: "standard", volumeSize: 2000 }, /\.volumeSize: must be from 1 to 1024 for standard$/],
  [{ volumeType: "gp3" }, undefined],
  [{ volumeType: "gp3", iops: 2000 }, /\.iops: must be from 3000 to 80000 for gp3$/],
  [{ volumeType: "gp3", volumeSize: 2, iops: 3000 }, undefined],
  [{ volumeType: "gp3", throughput: 1000 }, /\.throughput: 1000 needs at least iops: 4000$/],
  [{ volumeType: "gp3", iops: 4000, volumeSize: 40, throughput: 1000 }, undefined],
  [{ volumeType: "io2", iops: 3000, throughput: 250 }, /\.throughput: is for gp3 alone, not for io2; remove it$/],
  [{ volumeType: "st1", volumeSize: 500 }, /\.volumeType: st1 is no boot volume/],
  [{ iops: 3000 }, /\.iops: needs a volumeType beside it/],
];

describe("root volume", () => {
  for (const [volume, problem] of cases) {
    it(`${problem === undefined ? "takes" : "refuses"} ${JSON.stringify(volume)}`, () => {
      const problems = problemsOf((values) => {
        values.generations.blue.rootBlockDevice = volume;
      });
      if (problem === undefined) assert.deepEqual(problems, []);
      else assert.match(problems.join("\n"), problem);
    });
  }
});
