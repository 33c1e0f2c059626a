import assert from "node:assert/strict";
import type { Answer } from "../../../automation/cloud/http.ts";
import { AddressGap } from "../../../automation/gates/address-gap.ts";
import { eventually } from "../../eventually.ts";

const question = { protocol: "http", port: 80, host: "www.example.com", path: "/" } as const;

/** An address whose answers a test decides: what each question meets, and when that is. */
class Address {
  now = 0;
  asked = 0;
  answer: () => Answer = () => this.from("blue");

  from(generation: string): Answer {
    return { status: 200, headers: { "x-generation": generation }, body: "" };
  }

  fail(code: string): () => Answer {
    return () => {
      throw Object.assign(new Error(code), { code });
    };
  }

  gap(maxGapMilliseconds?: number): AddressGap {
    const asked = [{ publicIp: "198.51.100.7", question: { ...question, address: "198.51.100.7" } }];
    return new AddressGap(asked, { intervalMilliseconds: 5, maxGapMilliseconds }, undefined, {
      clock: () => this.now,
      ask: async () => {
        this.asked++;
        return this.answer();
      },
    });
  }

  /** Waits until what is the case at a time was met. */
  async met(now: number, answer: () => Answer): Promise<void> {
    Object.assign(this, { now, answer });
    const { asked } = this;
    await eventually(async () => this.asked > asked + 1);
  }
}

/** A move as its users see it. */
async function moved(address: Address, gap: AddressGap) {
  gap.begin();
  await address.met(0, () => address.from("blue"));
  await address.met(1000, address.fail("ECONNRESET"));
  await address.met(2000, address.fail("ECONNREFUSED"));
  await address.met(3000, () => address.from("green"));
  gap.end();
  const { verdict, evidence } = await gap.observe();
  return { verdict, met: (evidence as Record<string, Record<string, unknown>>)["198.51.100.7"] ?? {} };
}

describe("Elastic IPs that are asked all the time while they move", () => {
  it("show who answered until when, the longest time without an answer, and what was refused and cut", async () => {
    const address = new Address();
    const { verdict, met } = await moved(address, address.gap());
    assert.equal(verdict, "pass");
    assert.equal(met.longestGapMilliseconds, 3000);
    const [blue, green] = ["1970-01-01T00:00:00.000Z", "1970-01-01T00:00:03.000Z"];
    assert.deepEqual(met.answers, { blue: { first: blue, last: blue }, green: { first: green, last: green } });
    assert.ok(Number(met.reset) > 0 && Number(met.refused) > 0, JSON.stringify(met));
  });

  it("fail where the longest time without an answer is too long", async () => {
    for (const [most, expected] of [
      [2999, "fail"],
      [3000, "pass"],
    ] as const) {
      const address = new Address();
      assert.equal((await moved(address, address.gap(most))).verdict, expected);
    }
  });

  it("fail where no answer has come for too long at the end", async () => {
    const address = new Address();
    const gap = address.gap(500);
    gap.begin();
    await address.met(0, () => address.from("blue"));
    await address.met(1000, address.fail("ECONNREFUSED"));
    gap.end();
    assert.equal((await gap.observe()).verdict, "fail");
  });

  it("prove nothing where they could not be asked from here, or never answered", async () => {
    for (const [code, notSeen] of [
      ["EHOSTUNREACH", "unreachable"],
      ["ECONNREFUSED", undefined],
    ] as const) {
      const address = new Address();
      const gap = address.gap();
      gap.begin();
      await address.met(0, address.fail(code));
      gap.end();
      const observation = await gap.observe();
      assert.deepEqual([observation.verdict, observation.unproven, observation.notSeen], ["pending", true, notSeen]);
    }
  });
});
