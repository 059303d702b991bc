import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { redactSecrets } from "../../src/model/redact.ts";

describe("secrets in text", () => {
  it("are taken out of it", () => {
    assert.equal(
      redactSecrets("at postgres://u:p@ss@h/d?password=x&a=1 and redis://:pw@r:6379, api_key=abc; see http://h/p"),
      "at postgres://***@h/d?password=***&a=1 and redis://***@r:6379, api_key=*** see http://h/p",
    );
    assert.equal(redactSecrets("GET http://me:s3cret@host/x failed"), "GET http://***@host/x failed");
  });

  it("are taken out of any URL, however long they are and wherever it stands", () => {
    const word = fc.stringMatching(/^[a-zA-Z0-9.]{0,30}$/);
    const secret = fc.stringMatching(/^[^\s/]+$/).map((text) => `s3cr3t${text.repeat(20)}`);
    fc.assert(
      fc.property(
        fc.constantFrom("http", "postgresql+unix", "mqtts"),
        word,
        secret,
        word,
        (scheme, user, password, rest) => {
          const text = redactSecrets(`${rest}://${rest} ${rest}${scheme}://${user}:${password}@host/${rest}`);
          assert.ok(!text.includes("s3cr3t"), text);
          assert.ok(text.endsWith(`${scheme}://***@host/${rest}`), text);
        },
      ),
    );
  });

  it("cost no more than long text should", () => {
    const begun = performance.now();
    for (const part of ["a.", "a://", "http://", "x", "@", "password=", "a:@"])
      assert.equal(typeof redactSecrets(part.repeat(100_000)), "string");
    assert.ok(performance.now() - begun < 2_000, `${performance.now() - begun} ms`);
  });
});
