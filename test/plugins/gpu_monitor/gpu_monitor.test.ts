import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { parseNvidia } from "../../../src/plugins/gpu/nvidia.ts";
import { gpuMonitor } from "../../../src/plugins/gpu_monitor.ts";
import { fails } from "../../support/collect.ts";

it("says that there is no nvidia-smi, where there should be one", () =>
  fails(gpuMonitor, { nvidia: "on", command: ["/nonexistent/smi"] }, "unreachable", /is not installed on this host/));

it("reads any text without throwing, and no card twice", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const { value } of parseNvidia(text)) assert.ok(Number.isFinite(value));
    }),
  );
  assert.equal(parseNvidia("0, A, 1\n0, B, 1").length, 1);
});
