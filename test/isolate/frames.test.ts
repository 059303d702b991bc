import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createUnframer, frameOf, MAX_FRAME, ProtocolError } from "../../src/isolate/frames.ts";

/** Cuts a buffer at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

function received(chunks: readonly Buffer[]): string[] {
  const messages: string[] = [];
  const unframe = createUnframer((json) => void messages.push(json.toString()));
  for (const chunk of chunks) unframe(chunk);
  return messages;
}

describe("messages on the channel", () => {
  it("come out as they went in, however they are cut", () => {
    const texts = fc.array(fc.string({ unit: "binary", maxLength: 50 }), { maxLength: 8 });
    fc.assert(
      fc.property(texts, fc.array(fc.nat(), { maxLength: 12 }), (messages, places) => {
        const all = Buffer.concat(messages.map(frameOf));
        const expected = messages.map((text) => Buffer.from(text).toString());
        assert.deepEqual(received(cut(all, places)), expected);
      }),
    );
  });

  it("that are too long are refused by their first bytes, on either side", () => {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(MAX_FRAME + 1);
    assert.throws(() => received([header]), ProtocolError);
    header.writeUInt32BE(MAX_FRAME);
    assert.deepEqual(received([header, Buffer.alloc(100)]), []);
    assert.throws(() => frameOf("x".repeat(MAX_FRAME + 1)), ProtocolError);
    assert.equal(received([frameOf("x".repeat(MAX_FRAME))])[0]?.length, MAX_FRAME);
  });

  it("of any bytes give messages or an error, and never more than came in", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 }), (chunks) => {
        try {
          const size = received(chunks.map((chunk) => Buffer.from(chunk))).reduce((sum, text) => sum + text.length, 0);
          assert.ok(size <= chunks.reduce((sum, { length }) => sum + length, 0));
        } catch (error) {
          assert.ok(error instanceof ProtocolError);
        }
      }),
    );
  });
});
