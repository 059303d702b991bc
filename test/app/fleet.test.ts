import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createFleet } from "../../src/app/fleet.ts";
import type { TargetView } from "../../src/health/monitor.ts";
import type { ConfiguredTarget } from "../../src/model/target.ts";
import type { Slot } from "../../src/schedule/scheduler.ts";
import { keepingLog, kitOf, monitorAt, namelessKit, record } from "./support.ts";

/** A fleet on a real monitor, with a schedule and a snapshot that are just sets. */
function fixture() {
  const scheduled: Slot[] = [];
  const removed: string[] = [];
  const left: TargetView[] = [];
  const added: string[] = [];
  const log = keepingLog();
  const monitor = monitorAt({ now: 0 });
  const fleet = createFleet({
    scheduler: {
      add: (slots) => void scheduled.push(...slots),
      remove: (id) => {
        for (let i = scheduled.length - 1; i >= 0; i--) if (scheduled[i]?.targetId === id) scheduled.splice(i, 1);
      },
    },
    monitor,
    snapshot: { remove: (id) => void removed.push(id) },
    forget: () => {},
    added: ({ id }) => void added.push(id),
    left: (view) => void left.push(view),
    log,
  });
  const ids = () => fleet.list().map(({ id }) => id);
  const slots = () => scheduled.map(({ targetId, job }) => `${targetId} ${job}`).toSorted();
  return { fleet, monitor, ids, slots, removed, left: () => left.map(({ target }) => target.id), added, log };
}

const [A, B, C] = ["http://10.0.0.1:8088", "http://10.0.0.2:8088", "http://10.0.0.3:8088"] as const;
const jobsOf = (id: string) => ["drones", "signals", "status"].map((job) => `${id} ${job}`);

describe("apply", () => {
  test("adds, removes, replaces what changed, and leaves the rest alone", () => {
    const { fleet, monitor, ids, slots, left, added } = fixture();
    assert.deepEqual(fleet.apply([kitOf("a", A), kitOf("b", B)], []), { added: 2, removed: 0 });
    const [kept, changing] = [fleet.get("a"), monitor.view("b")];
    const change = [kitOf("a", A), kitOf("b", B, { tags: { site: "north" } }), kitOf("c", C)];
    assert.deepEqual(fleet.apply(change, []), { added: 2, removed: 1 });
    assert.equal(fleet.get("a"), kept, "the same value: a run in flight still belongs to it");
    assert.notEqual(monitor.view("b")?.target, changing?.target);
    assert.deepEqual(ids(), ["a", "b", "c"]);
    assert.deepEqual(slots(), [...jobsOf("a"), ...jobsOf("b"), ...jobsOf("c")]);
    assert.deepEqual(added, ["a", "b", "b", "c"]);
    assert.deepEqual(left(), [], "a target that only changed has not left");
    assert.deepEqual(fleet.apply([kitOf("c", C)], []), { added: 0, removed: 2 });
    assert.deepEqual(left(), ["a", "b"]);
    assert.deepEqual(slots(), jobsOf("c"));
    assert.equal(monitor.view("a"), undefined);
  });

  test("whatever was configured before, the fleet is what is configured now, each job scheduled once", () => {
    const target = fc
      .record({
        id: fc.constantFrom("a", "b", "c", "d"),
        url: fc.constantFrom(A, B, C),
        name: fc.constantFrom("x", "y"),
      })
      .map(({ id, url, name }) => kitOf(id, url, { name }));
    const config = fc.uniqueArray(target, { selector: ({ id }) => id });
    fc.assert(
      fc.property(fc.array(config, { maxLength: 6 }), (configs) => {
        const { fleet, monitor, slots } = fixture();
        for (const targets of configs) {
          const before = new Map(fleet.list().map((known) => [known.id, known]));
          fleet.apply(targets, []);
          const byId = (a: ConfiguredTarget, b: ConfiguredTarget) => (a.id < b.id ? -1 : 1);
          assert.deepEqual(fleet.list().toSorted(byId), targets.toSorted(byId));
          assert.deepEqual(slots(), targets.flatMap(({ id }) => jobsOf(id)).toSorted());
          assert.equal(monitor.views().length, targets.length);
          for (const { id, name, config } of targets) {
            const known = before.get(id);
            const isSame = known?.name === name && JSON.stringify(known.config) === JSON.stringify(config);
            if (isSame) assert.equal(fleet.get(id), known);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test("takes a moment for thousands of kits", () => {
    const { fleet } = fixture();
    const many = Array.from({ length: 5_000 }, (_, i) => kitOf(`kit-${i}`, `http://10.0.${i >> 8}.${i & 255}:8088`));
    fleet.apply(many, []);
    const begun = performance.now();
    const again = many.map((kit) => ({ ...kit }));
    assert.deepEqual(fleet.apply(again.slice(1), []), { added: 0, removed: 1 });
    // Each with each took a minute.
    assert.ok(performance.now() - begun < 2_000);
  });

  test("what the database remembers of a kit is what it starts from", () => {
    const { fleet, monitor } = fixture();
    const lastSeen = new Date("2026-02-01T00:00:00.000Z");
    fleet.apply([kitOf("a", A)], [record("a", A, { lastSeen, uid: "wardragon-1" })]);
    assert.equal(monitor.view("a")?.lastSuccess, lastSeen);
    assert.equal(monitor.view("a")?.identity, "wardragon-1");
  });
});

describe("a kit without a configured id", () => {
  test("is asked for its status only, until it tells one, and then for everything", () => {
    const { fleet, slots, removed, left } = fixture();
    const target = namelessKit(A);
    fleet.apply([target], []);
    assert.deepEqual(slots(), ["10.0.0.1:8088 status"]);
    fleet.promote(target, "wardragon-1");
    assert.deepEqual(slots(), jobsOf("wardragon-1"));
    assert.deepEqual(removed, ["10.0.0.1:8088"]);
    assert.deepEqual(left(), [], "its address was never anyone's name");
    const promoted = fleet.get("wardragon-1");
    assert.equal(promoted?.name, "wardragon-1");
    assert.equal(promoted?.provisional, undefined);
    assert.deepEqual(fleet.apply([namelessKit(A)], []), { added: 0, removed: 0 }, "and it stays that over a reload");
    assert.equal(fleet.get("wardragon-1"), promoted);
  });

  test("keeps a configured name", () => {
    const { fleet } = fixture();
    const target = { ...namelessKit(A), name: "Roof" };
    fleet.apply([target], []);
    fleet.promote(target, "wardragon-1");
    assert.equal(fleet.get("wardragon-1")?.name, "Roof");
  });

  test("is recalled by its address, however that is written, the kit in use before a retired one", () => {
    const { fleet, slots } = fixture();
    const remembered = [
      record("older", A, { enabled: false, lastSeen: new Date("2026-03-02") }),
      record("wardragon-1", "HTTP://10.0.0.1:8088/", { lastSeen: new Date("2026-03-01") }),
      record("broken", "not an address"),
    ];
    fleet.apply([namelessKit(A), namelessKit(B)], remembered);
    assert.deepEqual(slots(), [...jobsOf("wardragon-1"), "10.0.0.2:8088 status"].toSorted());
  });

  test("is not recalled by an id that another kit is configured with", () => {
    const { fleet, ids } = fixture();
    fleet.apply([namelessKit(A), kitOf("wardragon-1", B)], [record("wardragon-1", A)]);
    assert.deepEqual(ids(), ["10.0.0.1:8088", "wardragon-1"]);
  });

  test("does not take an id that is another's, or that cannot be one", () => {
    const { fleet, ids, log } = fixture();
    const target = namelessKit(A);
    fleet.apply([target, kitOf("b", B)], []);
    for (const told of ["b", "with blank", "../x", `x${"y".repeat(200)}`, "é"]) fleet.promote(target, told);
    assert.deepEqual(ids(), ["10.0.0.1:8088", "b"]);
    assert.equal(log.lines.filter(({ level }) => level === "error").length, 5);
    assert.match(log.lines[0]?.message ?? "", /two kits have the same id/);
    assert.match(log.lines[1]?.message ?? "", /give it an id in kits\.yaml/);
    assert.ok(JSON.stringify(log.lines).length < 3_000, "a kit cannot fill the log");
  });

  test("does not lose its id to a kit that is configured with it later", () => {
    const { fleet, slots, log } = fixture();
    const target = namelessKit(A);
    fleet.apply([target], []);
    fleet.promote(target, "wardragon-1");
    const first = fleet.get("wardragon-1");
    assert.deepEqual(fleet.apply([namelessKit(A), kitOf("wardragon-1", B)], []), { added: 0, removed: 0 });
    assert.equal(fleet.get("wardragon-1"), first);
    assert.deepEqual(slots(), jobsOf("wardragon-1"), "each job once");
    assert.match(log.lines.at(-1)?.message ?? "", /two kits have the same id/);
    assert.deepEqual(fleet.apply([kitOf("wardragon-1", B)], []), { added: 1, removed: 1 });
  });
});
