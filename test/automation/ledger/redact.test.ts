import assert from "node:assert/strict";
import { digest, digestKey, redact } from "../../../automation/ledger/redact.ts";

describe("redaction for the ledger", () => {
  const key = digestKey({ secret: "a long passphrase", stack: "staging" });
  const secrets = new Set(["s3cr3t/Passw0rd", "1234", "ab"]);

  it("puts a digest in the place of a secret value, as a string or a number", () => {
    assert.deepEqual(redact({ password: "s3cr3t/Passw0rd", pin: 1234, revision: "42" }, secrets, key), {
      password: digest("s3cr3t/Passw0rd", key),
      pin: digest("1234", key),
      revision: "42",
    });
  });

  it("takes secrets out of longer texts and of keys, also in base64 and percent-encoded", () => {
    const encoded = Buffer.from("s3cr3t/Passw0rd").toString("base64");
    const redacted = redact(
      { log: ["login s3cr3t/Passw0rd failed", `auth ${encoded}`, "?p=s3cr3t%2FPassw0rd"], "s3cr3t/Passw0rd": true },
      secrets,
      key,
    );
    assert.deepEqual(redacted, { log: ["login [secret] failed", "auth [secret]", "?p=[secret]"], "[secret]": true });
  });

  it("looks for a very short secret as a whole value only", () => {
    assert.deepEqual(redact(["table", "ab"], secrets, key), ["table", digest("ab", key)]);
  });

  it("lets digests be compared under one key, and says nothing to whoever has another", () => {
    assert.deepEqual(digest("1234", key), digest("1234", digestKey({ secret: "a long passphrase", stack: "staging" })));
    assert.notDeepEqual(
      digest("1234", key),
      digest("1234", digestKey({ secret: "a long passphrase", stack: "production" })),
    );
    assert.notDeepEqual(digest("1234", digestKey()), digest("1234", digestKey()));
    assert.match(digest("1234", key).digest, /^hmac-sha256:[0-9a-f]{64}$/);
  });
});
