import assert from "node:assert/strict";
import { isNotFound } from "../../../automation/cloud/not-found.ts";

describe("what AWS says of things that are not there", () => {
  const says = (name: string) => isNotFound(Object.assign(new Error("no"), { name }));

  it("is told from everything else by the error's name", () => {
    for (const name of [
      "InvalidSnapshot.NotFound",
      "InvalidSnapshotID.Malformed",
      "DBSnapshotNotFoundFault",
      "TargetGroupNotFoundException",
      "LoadBalancerNotFound",
      "InvalidAMIID.Unavailable",
    ])
      assert.ok(says(name), name);
    for (const name of ["UnauthorizedOperation", "ThrottlingException", "ENOTFOUND"]) assert.ok(!says(name), name);
    assert.ok(!isNotFound("NotFound"));
  });
});
