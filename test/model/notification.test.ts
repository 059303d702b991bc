import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readNotification } from "../../src/model/notification.ts";

const NOW = new Date("2026-11-22T12:00:00Z");
/** alertmanager.json is what Alertmanager 0.25 sent; grafana.json has the fields and forms that Grafana 11 sends. */
const body = (name: string): { alerts: Record<string, unknown>[] } =>
  JSON.parse(readFileSync(new URL(`notifications/${name}.json`, import.meta.url), "utf8"));
const alert = (over: object = {}) => ({
  ...{ status: "firing", labels: { alertname: "A" }, startsAt: "2026-11-22T10:00:00Z", fingerprint: "f1" },
  ...over,
});
const read = (...alerts: unknown[]) => readNotification({ alerts }, NOW);
const only = (over: object) => read(alert(over))?.alerts[0];
const reasons = (over: object) => read(alert(over))?.rejected.map(({ reason, count }) => [reason, count]);

describe("a notification of Alertmanager", () => {
  it("is read alert by alert, and what its cap left out is counted", () => {
    const read = readNotification(body("alertmanager"), NOW);
    const shown = read?.alerts.map(({ labels, annotations, message, ...rest }) => ({ ...rest, kit: labels["kit"] }));
    const common = { alertId: "kit_offline", severity: "critical", source: "alertmanager", value: 1 };
    const startsAt = new Date("2026-11-22T10:15:04.217Z");
    const endsAt = new Date("2026-11-22T10:21:34.217Z");
    assert.deepEqual(shown, [
      { ...common, fingerprint: "4e301e740ffbfc89", firing: false, startsAt, endsAt, kit: "kit-001" },
      { ...common, fingerprint: "4cfe8a4373eefac6", firing: true, startsAt, endsAt: null, kit: "kit-002" },
    ]);
    assert.equal(read?.alerts[1]?.message, "Kit kit-002 cannot be reached.");
    assert.deepEqual(read?.rejected, [{ reason: "alert_truncated", count: 1, detail: "reported by webhook" }]);
  });
});

describe("a notification of Grafana", () => {
  it("is read with the value of the query, and times of any zone and precision", () => {
    const read = readNotification(body("grafana"), NOW);
    const shown = read?.alerts.map(({ firing, value, startsAt, endsAt, source, alertId }) => [
      ...[firing, value, startsAt.toISOString(), endsAt?.toISOString() ?? null, source, alertId],
    ]);
    assert.deepEqual(shown, [
      [true, 0.8512, "2026-11-22T10:15:10.000Z", null, "grafana", "filesystem_filling"],
      [false, null, "2026-11-22T09:57:10.000Z", "2026-11-22T10:11:30.010Z", "grafana", "filesystem_filling"],
    ]);
    assert.deepEqual(read?.rejected, []);
  });
});

describe("an alert", () => {
  it("goes by the rule's id, else by its name, else by its fingerprint", () => {
    assert.equal(only({ labels: { alert_id: "mine", alertname: "A" } })?.alertId, "mine");
    assert.equal(only({})?.alertId, "A");
    assert.equal(only({ labels: {} })?.alertId, "f1");
  });

  it("has the value of A, of the only node there is, or of the annotation", () => {
    assert.equal(only({ values: { A: 2, B: 1 } })?.value, 2);
    assert.equal(only({ values: { C: 3 } })?.value, 3);
    assert.equal(only({ values: { B: 3, C: 1 } })?.value, null);
    assert.equal(only({ annotations: { value: "1.5e3" } })?.value, 1500);
    for (const value of ["+Inf", "NaN", "", " ", "12 %"]) assert.equal(only({ annotations: { value } })?.value, null);
    assert.equal(only({ values: "none of these", annotations: { value: "4" } })?.value, 4);
  });

  it("ends only when it is resolved, and not in the year 1", () => {
    assert.equal(only({ endsAt: "2026-11-22T11:00:00Z" })?.endsAt, null);
    assert.equal(only({ status: "resolved", endsAt: "0001-01-01T00:00:00Z" })?.endsAt, null);
    assert.equal(only({ status: "resolved" })?.endsAt, null);
  });

  it("is left out for a reason, and costs no other", () => {
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`l${n}`, ""]));
    for (const [over, reason] of [
      [{ status: "pending" }, "alert_malformed"],
      [{ labels: { a: 1 } }, "alert_labels"],
      [{ labels: many }, "alert_labels"],
      [{ labels: null }, "alert_labels"],
      [{ annotations: { a: "x".repeat(16_385) } }, "alert_labels"],
      [{ startsAt: "yesterday" }, "alert_time"],
      [{ startsAt: undefined }, "alert_time"],
      [{ startsAt: "0001-01-01T00:00:00Z" }, "alert_time"],
      [{ startsAt: "2026-11-23T12:00:01Z" }, "alert_time"],
      [{ endsAt: 5 }, "alert_time"],
      [{ fingerprint: "" }, "alert_fingerprint"],
      [{ fingerprint: "a b" }, "alert_fingerprint"],
      [{ fingerprint: undefined }, "alert_fingerprint"],
    ] as const)
      assert.deepEqual(reasons(over), [[reason, 1]], JSON.stringify(over).slice(0, 80));
    const mixed = read(null, alert(), 7, [], alert({ fingerprint: "f2" }));
    assert.deepEqual(
      mixed?.alerts.map(({ fingerprint }) => fingerprint),
      ["f1", "f2"],
    );
    assert.deepEqual(
      mixed?.rejected.map(({ reason, count }) => [reason, count]),
      [["alert_malformed", 3]],
    );
  });
});

describe("anything else", () => {
  it("is no notification", () => {
    for (const value of [null, 1, "x", [], {}, { alerts: {} }, { alerts: null }, { alert: [] }])
      assert.equal(readNotification(value, NOW), undefined, JSON.stringify(value));
    assert.deepEqual(readNotification({ alerts: [] }, NOW), { alerts: [], rejected: [] });
  });

  it("never throws, and accounts for every alert", () => {
    const piece = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          status: fc.constantFrom("firing", "resolved", "x"),
          labels: fc.jsonValue(),
          startsAt: fc.oneof(fc.string(), fc.constant("2026-11-22T10:00:00Z")),
          fingerprint: fc.oneof(fc.string(), fc.constant("f1")),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(fc.array(piece), (alerts) => {
        const read = readNotification(JSON.parse(JSON.stringify({ alerts })), NOW);
        const left = read?.rejected.reduce((sum, { count = 1 }) => sum + count, 0) ?? 0;
        assert.equal((read?.alerts.length ?? 0) + left, alerts.length);
      }),
    );
  });

  it("pollutes nothing", () => {
    const hostile = JSON.parse(
      '{"alerts":[{"status":"firing","labels":{"__proto__":"x","constructor":"y"},"startsAt":"2026-11-22T10:00:00Z","fingerprint":"f1"}],"__proto__":{"polluted":1}}',
    );
    readNotification(hostile, NOW);
    assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  });
});
