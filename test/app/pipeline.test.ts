import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createPipeline } from "../../src/app/pipeline.ts";
import { createBuffers } from "../../src/buffer/buffers.ts";
import { encode } from "../../src/expose/encode.ts";
import { negotiate } from "../../src/expose/negotiate.ts";
import { noTelemetry } from "../../src/expose/otel.ts";
import { createRenderer } from "../../src/expose/render.ts";
import { createSelf } from "../../src/expose/self.ts";
import { createSnapshot } from "../../src/expose/snapshot.ts";
import type { Transition } from "../../src/model/health.ts";
import type { Sample } from "../../src/model/sample.ts";
import type { Batch, ConfiguredTarget } from "../../src/model/target.ts";
import type { KitRecord, TargetStatus } from "../../src/store/store.ts";
import { failed, ok, pluginOf, targetOf } from "../support/targets.ts";
import { keepingLog, kitOf, monitorAt, namelessKit, runOf } from "./support.ts";

const drones = (n: number): Sample[] => [{ metric: "kit_drones", value: n, labels: { track_type: "drone" } }];
const cpu: Sample[] = [{ metric: "kit_cpu_usage_ratio", value: 0.5 }];

/** A pipeline on a real monitor and a real snapshot, with a writer that keeps what it is handed. */
function fixture(t: { after(fn: () => void): void }) {
  const clock = { now: 1_000 };
  const snapshot = createSnapshot();
  const self = createSelf({ version: "1" });
  t.after(() => self.close());
  const written = {
    batches: [] as Batch[],
    events: [] as Transition[],
    states: [] as TargetStatus[],
    kits: [] as KitRecord[],
  };
  const promoted: string[] = [];
  const buffers = createBuffers({ maxBytes: 1_000_000, now: Date.now });
  const log = keepingLog();
  const monitor = monitorAt(clock, (change) => pipeline.transition(change));
  const pipeline = createPipeline({
    ...{ monitor, snapshot, self, buffers, log, host: "here", trace: noTelemetry.run, note: () => {} },
    writer: {
      accept: (batch) => void written.batches.push(batch),
      offer: async () => false,
      event: (event) => void written.events.push(event),
      status: (status) => void written.states.push(status),
      kit: (kit) => void written.kits.push(kit),
    },
    fleet: () => ({ promote: (_target, identity) => void promoted.push(identity) }),
  });
  const add = (target: ConfiguredTarget) => {
    monitor.add(target);
    pipeline.show(target.id);
    return target;
  };
  const accept = (target: ConfiguredTarget, job: string, outcome: Parameters<typeof runOf>[2]) =>
    pipeline.accept(target, runOf(target, job, outcome));
  const families = () => new Set(snapshot.families().map(({ name }) => name));
  return { clock, monitor, pipeline, written, promoted, log, add, accept, families, snapshot, self };
}

const HAS_DATA = ["gleaner_kit_drones", "gleaner_kit_cpu_usage_ratio"];
const STAYS = ["gleaner_kit_up", "gleaner_kit_state", "gleaner_kit_info", "gleaner_kit_backoff_seconds"];

describe("what could not be used", () => {
  test("is counted by reason, for all and for the target it came from", async (t) => {
    const { add, accept, monitor, self } = fixture(t);
    const kit = add(kitOf("kit-001", "http://10.0.0.1:8088"));
    const rejected = [
      { reason: "no_id", detail: "entry 3" },
      { reason: "no_id", detail: "entry 4", count: 2 },
    ];
    await accept(kit, "drones", ok({ samples: [...drones(3), { metric: "kit_invented", value: 1 }], rejected }));
    await accept(kit, "drones", ok({ rejected }));
    assert.deepEqual(monitor.view("kit-001")?.rejected, { no_id: 6, undeclared_metric: 1 });
    const text = (await encode(await self.families(), "text")).toString();
    assert.match(text, /^gleaner_rows_rejected_total\{reason="no_id"\} 6$/m);
    assert.match(text, /^gleaner_rows_rejected_total\{reason="undeclared_metric"\} 1$/m);
  });

  test("has a bounded number of reasons, whatever a plugin invents", async (t) => {
    const { add, accept, monitor, self } = fixture(t);
    const kit = add(kitOf("kit-001", "http://10.0.0.1:8088"));
    const rejected = Array.from({ length: 500 }, (_, i) => ({ reason: `reason_${i}`, detail: "" }));
    await accept(kit, "drones", ok({ rejected }));
    const counts = monitor.view("kit-001")?.rejected ?? {};
    assert.ok(Object.keys(counts).length <= 33);
    assert.equal(counts["other"], 500 - 32);
    const text = (await encode(await self.families(), "text")).toString();
    assert.ok([...text.matchAll(/^gleaner_rows_rejected_total\{/gm)].length <= 33);
  });
});

describe("a finished run", () => {
  test("is shown and handed to the store; a failure leaves the last data in place", async (t) => {
    const { add, accept, families, written } = fixture(t);
    const kit = add(kitOf("kit-001", "http://10.0.0.1:8088"));
    assert.deepEqual(
      STAYS.filter((name) => !families().has(name)),
      [],
      "its state shows before its first run",
    );
    await accept(kit, "drones", ok({ samples: drones(3) }));
    await accept(kit, "status", ok({ samples: cpu }));
    assert.deepEqual(
      HAS_DATA.filter((name) => !families().has(name)),
      [],
    );
    await accept(kit, "drones", failed("http_status"));
    assert.ok(families().has("gleaner_kit_drones"), "one failed poll is no reason to forget the last");
    assert.deepEqual(
      written.batches.map(({ run }) => `${run.job} ${run.outcome.status}`),
      ["drones ok", "status ok", "drones failed"],
    );
    assert.equal(written.kits.at(-1)?.status, "error");
    assert.equal(written.states.at(-1)?.consecutiveErrors, 1);
    assert.deepEqual(
      written.events.map(({ from, to }) => `${from} ${to}`),
      ["unknown online", "online error"],
    );
  });

  test("of a target that left in the meantime: its rows are kept, its series are not", async (t) => {
    const { add, accept, families, written, monitor, snapshot } = fixture(t);
    const kit = add(kitOf("kit-001", "http://10.0.0.1:8088"));
    monitor.remove(kit.id);
    snapshot.remove(kit.id);
    const states = written.states.length;
    await accept(kit, "drones", ok({ samples: drones(3) }));
    assert.equal(written.batches.length, 1);
    assert.equal(written.states.length, states, "and its state is not written again");
    assert.deepEqual([...families()], []);
    // The same id, configured anew: the old run is not the new target's.
    add(kitOf("kit-001", "http://10.0.0.2:8088"));
    await accept(kit, "drones", ok({ samples: drones(3) }));
    assert.ok(!families().has("gleaner_kit_drones"));
    assert.equal(written.batches.length, 2);
  });

  test("of a kit without an id stores nothing, and is a chance to learn it", async (t) => {
    const { add, accept, written, promoted } = fixture(t);
    const kit = add(namelessKit("http://10.0.0.1:8088"));
    await accept(kit, "status", ok({ samples: cpu }));
    await accept(kit, "status", failed("timeout"));
    assert.deepEqual(promoted, []);
    await accept(kit, "status", ok({ samples: cpu, identity: "wardragon-1" }));
    assert.deepEqual(promoted, ["wardragon-1"]);
    assert.deepEqual([written.batches, written.states, written.kits], [[], [], []]);
  });

  test("counts what was left out of it by reason", async (t) => {
    const { add, accept, self, snapshot } = fixture(t);
    const target = add(targetOf(pluginOf(async () => ({ samples: [] }))));
    const samples = [{ metric: "probe_value", value: Number.NaN }];
    await accept(target, "main", ok({ samples, rejected: [{ reason: "no_id", detail: "id", count: 4 }] }));
    const { body } = await createRenderer(snapshot, self).render(negotiate({}));
    assert.match(body.toString(), /^gleaner_rows_rejected_total\{reason="no_id"\} 4$/m);
    assert.match(body.toString(), /^gleaner_rows_rejected_total\{reason="not_a_number"\} 1$/m);
  });
});

describe("withdrawal", () => {
  test("an offline kit's data goes at once, all of it, its state stays", async (t) => {
    const { add, accept, families, clock } = fixture(t);
    const kit = add(kitOf("kit-001", "http://10.0.0.1:8088"));
    await accept(kit, "drones", ok({ samples: drones(3) }));
    await accept(kit, "status", ok({ samples: cpu }));
    clock.now += 1_000;
    await accept(kit, "drones", failed("unreachable"));
    assert.deepEqual(
      HAS_DATA.filter((name) => families().has(name)),
      [],
    );
    assert.deepEqual(
      STAYS.filter((name) => !families().has(name)),
      [],
    );
    await accept(kit, "drones", ok({ samples: drones(1) }));
    assert.deepEqual(
      HAS_DATA.filter((name) => families().has(name)),
      ["gleaner_kit_drones"],
    );
  });

  test("a kit that goes quiet turns stale as time passes, and its data goes", async (t) => {
    const { add, accept, families, clock, pipeline, written } = fixture(t);
    const kit = add(kitOf("kit-001", "http://10.0.0.1:8088"));
    await accept(kit, "drones", ok({ samples: drones(3) }));
    clock.now += 60_000;
    pipeline.tick();
    assert.ok(families().has("gleaner_kit_drones"), "not before the threshold");
    clock.now += 1;
    pipeline.tick();
    assert.ok(!families().has("gleaner_kit_drones"));
    assert.equal(written.kits.at(-1)?.status, "stale");
    assert.equal(written.events.at(-1)?.to, "stale");
  });

  test("one job's old data goes, another's fresh data stays", async (t) => {
    const { add, accept, families, clock, pipeline } = fixture(t);
    const target = {
      ...kitOf("kit-001", "http://10.0.0.1:8088"),
      pause: { initialBackoff: 1, maxBackoff: 1, staleAfter: 3_000 },
    };
    add(target);
    await accept(target, "drones", ok({ samples: drones(3) }));
    clock.now += 3_001;
    await accept(target, "status", ok({ samples: cpu }));
    pipeline.tick();
    assert.deepEqual(
      HAS_DATA.filter((name) => families().has(name)),
      ["gleaner_kit_cpu_usage_ratio"],
    );
  });
});

test("a target that left is remembered as unknown, a kit as no longer polled, with when it was last seen", async (t) => {
  const { add, accept, written, monitor, pipeline } = fixture(t);
  const kit = add(kitOf("kit-001", "http://10.0.0.1:8088"));
  await accept(kit, "drones", ok());
  const view = monitor.view("kit-001");
  if (view) pipeline.retire(view);
  assert.equal(written.states.at(-1)?.state, "unknown");
  const { status, enabled, lastSeen } = written.kits.at(-1) ?? {};
  assert.deepEqual([status, enabled, lastSeen], ["unknown", false, new Date("2026-03-01T12:00:00.020Z")]);
});
