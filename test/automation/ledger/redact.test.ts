import assert from "node:assert/strict";
import { digest, digestKey, redact, redactText } from "../../../automation/ledger/redact.ts";

describe("redaction for the ledger", () => {
  const key = digestKey();
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

  it("hides a secret that was not decrypted, and shows other objects", () => {
    assert.deepEqual(redact({ a: { secure: "v1:abc" }, b: { secure: true }, c: { volumeSize: 8 } }, secrets, key), {
      a: "[secret]",
      b: { secure: true },
      c: { volumeSize: 8 },
    });
  });

  it("looks for a very short secret as a whole value only", () => {
    assert.deepEqual(redact(["table", "ab"], secrets, key), ["table", digest("ab", key)]);
  });

  it("lets digests be compared under one key, and says nothing to whoever has another", () => {
    assert.deepEqual(digest("1234", key), digest("1234", key));
    assert.notDeepEqual(digest("1234", key), digest("1234", digestKey()));
    assert.match(digest("1234", key).digest, /^hmac-sha256:[0-9a-f]{64}$/);
  });
});

describe("a text without secrets", () => {
  const secret = 'p@ss w/ö"\\+x?~>';
  const clean = (text: string) => redactText(text, new Set([secret]));

  it("has none that is percent-encoded, whichever characters an encoder encodes, and how", () => {
    const encoded = encodeURIComponent(secret);
    const lowerCase = encoded.replace(/%../g, (code) => code.toLowerCase());
    const form = new URLSearchParams({ p: secret }).toString();
    const all = [...Buffer.from(secret)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
    for (const each of [encoded, lowerCase, encodeURI(secret), all])
      assert.equal(clean(`://u:${each}@db`), "://u:[secret]@db");
    assert.equal(clean(form), "p=[secret]");
  });

  it("has none that is escaped as in JSON", () => {
    const json = JSON.stringify({ secret });
    const ascii = json.replace("ö", "\\u00F6").replace("/", "\\/");
    for (const each of [json, ascii]) assert.equal(clean(each), '{"secret":"[secret]"}');
  });

  it("has none that is encoded twice, or in another way that programs have", () => {
    const whole = `it's "<p@ss>" & w/\u00f6\\x`;
    const bytes = [...Buffer.from(whole)];
    const two = (byte: number) => byte.toString(16).padStart(2, "0");
    const named: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
    const html = whole.replace(/[&<>"']/g, (sign) => named[sign] ?? sign);
    const ways = {
      percent2: encodeURIComponent(encodeURIComponent(whole)),
      percent3: encodeURIComponent(encodeURIComponent(encodeURIComponent(whole))).toLowerCase(),
      latin1: encodeURIComponent(whole).replace("%C3%B6", "%F6"),
      json2: JSON.stringify(JSON.stringify(whole)).slice(3, -3),
      hex: bytes.map(two).join(""),
      upperHex: bytes.map(two).join(":").toUpperCase(),
      escapedBytes: bytes.map((byte) => `\\x${two(byte)}`).join(""),
      octal: bytes.map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join(""),
      html,
      html2: html.replaceAll("&", "&amp;"),
      numbers: [...whole].map((character) => `&#${character.codePointAt(0)};`).join(""),
      hexNumbers: [...whole].map((character) => `&#x00${character.codePointAt(0)?.toString(16)};`).join(""),
      shell: whole.replaceAll("'", "'\\''"),
      shellWords: whole.replace(/[^a-z]/g, "\\$&"),
      sql: whole.replaceAll("'", "''"),
      csv: whole.replaceAll('"', '""'),
      mail: bytes.map((byte) => `=${two(byte).toUpperCase()}`).join(""),
      base64Json: Buffer.from(JSON.stringify(whole)).toString("base64"),
      base64Percent: Buffer.from(encodeURIComponent(whole)).toString("base64"),
      base64Twice: Buffer.from(Buffer.from(`x=${whole}`).toString("base64")).toString("base64"),
      base64Lines: Buffer.from(whole).toString("base64").replace(/.{8}/g, "$&\r\n"),
    };
    const left = Object.entries(ways).filter(([, text]) => {
      const cleaned = redactText(`<${text}>`, new Set([whole]));
      return !cleaned.includes("[secret]") || cleaned.length > 24;
    });
    assert.deepEqual(left, []);
  });

  it("has no line of a secret with several, however they end", () => {
    const key = "-----BEGIN KEY-----\nMIIEvQ/+IBADANBg==\n-----END KEY-----\n";
    const secrets = new Set([key]);
    for (const text of [key, key.replaceAll("\n", "\r\n"), key.replaceAll("\n", "\\n"), key.replaceAll("\n", "<br>")])
      assert.equal(redactText(text, secrets), "[secret]");
    assert.equal(redactText("read: MIIEvQ/+IBADANBg==", secrets), "read: [secret]");
    assert.equal(redactText(`key: |\n    ${key.replaceAll("\n", "\n    ")}`, secrets), "key: |\n    [secret]");
    assert.equal(redactText("{ }\nok", new Set(["{\n}\nok\n"])), "{ }\nok");
  });

  it("is found in what repeats a secret's signs without end", () => {
    const secrets = new Set(["\\\\\\x", "a    b\n\n\nc", "    "]);
    assert.equal(redactText(`${"\\".repeat(5000)}y`, secrets), `${"\\".repeat(5000)}y`);
    assert.equal(redactText(" ".repeat(4000), secrets), "[secret]");
  });

  it("has none in base64, wherever the secret begins in what is encoded", () => {
    for (const before of ["", "a", "ab", "abc"]) {
      for (const after of ["", "y", "yz"]) {
        const bytes = Buffer.from(`${before}${secret}${after}`);
        const [base64, base64url] = [bytes.toString("base64"), bytes.toString("base64url")];
        for (const text of [base64, base64url, encodeURIComponent(base64)]) {
          // Not even a character is left that has some of the secret's bits.
          const end = Math.ceil((Buffer.byteLength(before + secret) * 8) / 6);
          const [left, right] = [base64.slice(0, Math.floor((before.length * 8) / 6)), base64url.slice(end)];
          assert.equal(clean(`<${text}>`).replace(/(=|%3D)*>$/, ">"), `<${left}[secret]${right}>`);
        }
      }
    }
  });

  it("has nothing left of secrets that overlap or contain each other", () => {
    const secrets = new Set(["abcdef", "cdef", "defghi"]);
    assert.equal(redactText("1 abcdefghi 2 cdef 3", secrets), "1 [secret] 2 [secret] 3");
    assert.equal(redactText("cdefcdef", secrets), "[secret][secret]");
  });

  it("keeps everything else as it is", () => {
    for (const text of ["", "100 % of p@ss w", "\\u0041 %41 + /", "[secret]"]) assert.equal(clean(text), text);
    assert.equal(redactText("ab", new Set([""])), "ab");
  });
});
