import assert from "node:assert/strict";
import { accessTo } from "../../../automation/cloud/access.ts";
import { checkPlace, type Places } from "../../../automation/run/place-check.ts";

const arn = (account: string, region = "us-east-1") =>
  `arn:aws:elasticloadbalancing:${region}:${account}:loadbalancer/app/site/1`;
const deployed = (loadBalancerArn: string) =>
  ({ outputs: { loadBalancer: { arn: loadBalancerArn } }, definitions: {} }) as unknown as Places["last"];

const check = (engine: string, more: Partial<Places> = {}) =>
  checkPlace(
    {
      stack: "www",
      access: accessTo("us-east-1"),
      aws: { identity: async () => ({ account: "111111111111", arn: "arn:aws:iam::111111111111:user/ci" }) },
      engine: { account: async () => engine },
      last: undefined,
      ...more,
    },
    new AbortController().signal,
  );

describe("driver, engine and site", () => {
  it("are let work in one account and region", async () => {
    assert.equal(await check("111111111111"), "111111111111");
    await check("111111111111", { last: deployed(arn("111111111111")) });
  });

  for (const [what, asked, message] of [
    ["the engine works in another account", () => check("222222222222"), /111111111111.*engine.*222222222222/],
    [
      "the site is in another account",
      () => check("111111111111", { last: deployed(arn("333333333333")) }),
      /site is in account 333333333333.*111111111111/,
    ],
    [
      "the site is in another region",
      () => check("111111111111", { last: deployed(arn("111111111111", "eu-west-1")) }),
      /site is in eu-west-1.*us-east-1.*Set aws:region to eu-west-1/,
    ],
    [
      "the plugin may not work in the account",
      () => check("111111111111", { access: { ...accessTo("us-east-1"), allowedAccountIds: ["222222222222"] } }),
      /aws:allowedAccountIds/,
    ],
  ] as const)
    it(`are refused before anything is changed where ${what}`, () =>
      assert.rejects(asked(), { code: "another-place", exitCode: 1, message }));
});
