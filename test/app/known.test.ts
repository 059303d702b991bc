import assert from "node:assert/strict";
import { test } from "node:test";
import { KNOWN_LABELS } from "../../src/app/known.ts";
import { encode } from "../../src/expose/encode.ts";
import { createSelf } from "../../src/expose/self.ts";

test("the counters of lost and refused rows exist at 0 before anything is lost", async () => {
  const self = createSelf({ version: "0", known: KNOWN_LABELS });
  const text = (await encode(await self.families(), "text")).toString();
  self.close();
  for (const reason of KNOWN_LABELS.dropped)
    assert.match(text, new RegExp(`^gleaner_rows_dropped_total\\{reason="${reason}"\\} 0$`, "m"));
  for (const reason of KNOWN_LABELS.rejected)
    assert.match(text, new RegExp(`^gleaner_rows_rejected_total\\{reason="${reason}"\\} 0$`, "m"));
  assert.match(text, /^gleaner_store_errors_total\{reason="write_failed"\} 0$/m);
});
