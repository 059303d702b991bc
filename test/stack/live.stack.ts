// Every query of every dashboard, and every alert rule, against gleaner, PostgreSQL, Prometheus and Alertmanager as they run
// for users; only durations are FACTOR times shorter. Prints what was queried and what fired.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { CheckedDashboard } from "../../src/artefacts/dashboards/structure.ts";
import { alertingSchema } from "../../src/artefacts/grafana/alerting-schema.ts";
import { plugins } from "../../src/plugins/registry.gen.ts";
import { yaml } from "../packaging/files.ts";
import { eventually } from "../support/eventually.ts";
import { kitState, scrape } from "../support/scrape.ts";
import { EXCHANGED, EXPECTED, MAY_BE_EMPTY, PASSING, RECORDED, RESOLVED } from "./expected.ts";
import { instant } from "./grafana/prometheus.ts";
import type { View } from "./grafana/range.ts";
import { loadDashboards, type PanelResult, showDashboard, viewOf } from "./panels.ts";
import { firedBetween, firingNow, isOfScene, nameOf, rulesOf } from "./support/alerts.ts";
import { fasterExpr } from "./support/compress.ts";
import { type Stack, startStack, WELL_KIT, WHY_IDLE } from "./support/scene.ts";
import { RULE_FILES, SCRAPE_MS } from "./support/servers.ts";

/** A state or an alert comes within this (ms): the longest `for`, staleness, and a machine that does much else. */
const PATIENCE_MS = 120_000;
const DAY_MS = 86_400_000;
/** Narrow enough for a point every second. */
const RECENT_MS = 300_000;
const PREFERRED = new Map([["kit", WELL_KIT]]);

describe("the stack", () => {
  let stack: Stack;
  const results: PanelResult[] = [];
  const dashboards = loadDashboards();

  before(async () => {
    stack = await startStack();
    await makeTrouble(stack);
  });
  after(async () => {
    await stack?.[Symbol.asyncDispose]();
  });

  it("has kits in every state", async () => {
    const wanted = {
      "kit-008": "offline",
      "kit-009": "error",
      "kit-010": "stale",
      [WELL_KIT]: "online",
      "kit-006": "online",
      "kit-007": "online",
    };
    await eventually(async () => {
      const series = await scrape(stack.gleaner);
      assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((kit) => [kit, kitState(series, kit)])), wanted);
    }, PATIENCE_MS);
  });

  it("fires exactly the alerts that the scene calls for", async () => {
    await eventually(async () => {
      const { scene } = await firedBetween(stack.prometheus, stack.since, Date.now());
      assert.deepEqual(scene, EXPECTED);
    }, PATIENCE_MS);
  });

  for (const subject of dashboards)
    it(`shows data in every panel of ${subject.dashboard.title}`, async () => {
      // A machine that does much else lets a scrape or two fail, and then there is nothing for a moment.
      await eventually(async () => results.push(...(await checkDashboard(stack, subject))));
    });

  it("has every rule loaded and evaluated without an error", async () => {
    const rules = await rulesOf(stack.prometheus);
    const shipped = RULE_FILES.flatMap((file) => (yaml(file) as { groups: { rules: unknown[] }[] }).groups).flatMap(
      (g) => g.rules,
    );
    assert.equal(rules.length, shipped.length);
    assert.deepEqual(
      rules.filter(({ health }) => health !== "ok"),
      [],
    );
  });

  it("has data for the condition of every rule, with the labels that its texts name", async () => {
    const wrong: string[] = [];
    for (const { rule, group, id } of grafanaRules()) {
      const idle = isIdle(stack, group.replace(/^gleaner-/, "").replaceAll("-", "_"));
      const expr = rule.data.map(({ model }) => model["expr"]).find((text) => typeof text === "string") ?? "";
      const series = await instant(stack.prometheus, fasterExpr(expr), Date.now());
      if (series.length === 0 && !mayBeEmpty(id) && !idle) wrong.push(`${id}: no series`);
      const named = Object.values(rule.annotations ?? {}).flatMap((text) =>
        [...text.matchAll(/\$labels\.(\w+)/g)].map(([, label = ""]) => label),
      );
      for (const label of new Set(named))
        if (series.some(({ metric }) => metric[label] === undefined)) wrong.push(`${id}: no label ${label}`);
    }
    assert.deepEqual(wrong, []);
  });

  it("resolves the alerts of what is mended", async () => {
    for (const kit of Object.keys(PASSING)) await stack.sim.setFault(kit, "healthy");
    await eventually(async () => {
      const firing = await firingNow(stack.prometheus);
      assert.deepEqual(
        firing,
        EXPECTED.filter((name) => !RESOLVED.includes(name)),
      );
    }, PATIENCE_MS);
    const { scene } = await firedBetween(stack.prometheus, stack.since, Date.now());
    assert.deepEqual(scene, EXPECTED, "nothing else fired in between");
  });

  it("has each firing and each resolution in alert_history, by way of Alertmanager", async () => {
    await eventually(async () => {
      const history = await historyOf(stack);
      assert.deepEqual(history.firing, EXPECTED);
      // Alerts that last end and begin again where a machine that does much else lets a scrape fail.
      assert.deepEqual(
        history.resolved.filter((name) => !RECORDED.includes(name)),
        RESOLVED,
      );
    }, PATIENCE_MS);
  });

  it("fires when gleaner itself hangs, and keeps that when it is back", async () => {
    stack.gleaner.signal("SIGSTOP");
    try {
      await eventually(
        async () => assert.ok((await firingNow(stack.prometheus)).includes("gleaner_down")),
        PATIENCE_MS,
      );
    } finally {
      stack.gleaner.signal("SIGCONT");
    }
    await eventually(async () => {
      const history = await historyOf(stack);
      assert.ok(history.firing.includes("gleaner_down") && history.resolved.includes("gleaner_down"));
    }, PATIENCE_MS);
  });

  it("tells what it did", async () => {
    const { scene, machine } = await firedBetween(stack.prometheus, stack.since, Date.now());
    const queries = results.reduce((sum, { queries }) => sum + queries, 0);
    const empty = results.filter(({ empty, dashboard }) => empty.length > 0 && !idlePlugin(stack, dashboard));
    const idle = dashboards.flatMap(({ dashboard }) => idlePlugin(stack, dashboard.uid) ?? []);
    console.log(
      `${dashboards.length} dashboards, ${results.length} panels with ${queries} queries, each at 5 time ranges`,
    );
    for (const { dashboard, title } of empty) {
      const why = MAY_BE_EMPTY.find((one) => one.what.test(`${dashboard}: ${title}`))?.why;
      console.log(`empty: ${dashboard}: ${title}: ${why ?? "not declared"}`);
    }
    for (const id of idle) console.log(`queried without data: ${id}: ${WHY_IDLE[id] ?? "nothing is started for it"}`);
    console.log(`${(await rulesOf(stack.prometheus)).length} rules; fired: ${scene.join(", ")}`);
    if (machine.length > 0) console.log(`fired for this machine itself: ${machine.join(", ")}`);
    const known = [
      ...results.map(({ dashboard, title }) => `${dashboard}: ${title}`),
      ...grafanaRules().map(({ id }) => id),
    ];
    const dead = MAY_BE_EMPTY.filter((one) => !known.some((name) => one.what.test(name)));
    assert.deepEqual(dead, [], "declared for panels and rules that are no more");
  });
});

/** Shows a dashboard at every range that matters, and returns what its panels showed of the last minutes. */
async function checkDashboard(stack: Stack, subject: CheckedDashboard): Promise<readonly PanelResult[]> {
  const idle = idlePlugin(stack, subject.dashboard.uid) !== undefined;
  const now = Date.now();
  const views: readonly View[] = [
    viewOf(subject.dashboard, now, SCRAPE_MS),
    { from: now - RECENT_MS, to: now, scrape: SCRAPE_MS, finest: true },
    // Roll-ups are read at long ranges.
    ...[7, 90, 730].map((days) => ({ from: now - days * DAY_MS, to: now, scrape: SCRAPE_MS })),
  ];
  const recent: PanelResult[] = [];
  for (const view of views) {
    const { panels, problems } = await showDashboard(subject, sourcesOf(stack), { view, preferred: PREFERRED });
    const isRecent = view.finest === true;
    if (isRecent) recent.push(...panels);
    // Without a server to ask, only that its queries can be carried out is shown. Prometheus has a minute or two here,
    // which points that are minutes apart can miss.
    const wrong = panels.flatMap((panel) => {
      if (idle) return complaints({ ...panel, empty: [], problems: [] });
      return complaints(isRecent ? panel : { ...panel, empty: panel.emptySql, problems: [] });
    });
    assert.deepEqual([...(idle ? [] : problems), ...wrong], [], `over ${(view.to - view.from) / 60_000} minutes`);
  }
  return recent;
}

const sourcesOf = ({ prometheus, reader }: Stack) => ({ prometheus, database: reader });

/** What passes, what stays, and one row that the database refuses for a while. */
async function makeTrouble({ sim, admin, prometheus, gleaner }: Stack): Promise<void> {
  // A busy machine keeps kits waiting at first; what happens to them is told from what they were.
  await eventually(async () => {
    const series = await scrape(gleaner);
    for (const kit of Object.keys(PASSING)) assert.equal(kitState(series, kit), "online");
  }, PATIENCE_MS);
  for (const [kit, { fault }] of Object.entries(PASSING)) await sim.setFault(kit, fault);
  const drone = await eventually(async () => {
    const known = (await sim.ledger()).find(({ drone_id, kit }) => drone_id !== undefined && kit === WELL_KIT);
    assert.ok(known?.drone_id);
    return known.drone_id;
  });
  // The kit has to be known before it can be another one, and a counter has to have been 0 to be seen growing.
  await eventually(async () => {
    const before = await instant(
      prometheus,
      `gleaner_kit_identity_changes_total{kit="${EXCHANGED}"} offset 3s`,
      Date.now(),
    );
    assert.equal(before.length, 1);
  });
  await sim.setFault(EXCHANGED, "identity_change");
  await admin(
    `alter table drones add constraint refused check (drone_id <> '${drone.replaceAll("'", "''")}') not valid`,
  );
  await eventually(async () => assert.notDeepEqual(await admin("select 1 from dead_letters limit 1"), []));
  await admin("alter table drones drop constraint refused");
}

function complaints({ dashboard, title, empty, failures, problems }: PanelResult): string[] {
  const what = `${dashboard}: ${title}`;
  const bare = empty.length > 0 && !mayBeEmpty(what) ? [`${what}: nothing from ${empty.join(", ")}`] : [];
  return [...bare, ...[...failures, ...problems].map((problem) => `${what}: ${problem}`)];
}

/** A plugin that nothing is collected with here. */
const isIdle = ({ running }: Stack, id: string): boolean =>
  plugins.some((plugin) => plugin.id === id) && !running.has(id);

/** The plugin of a dashboard, where it is idle. */
function idlePlugin(stack: Stack, uid: string): string | undefined {
  const id = /^gleaner-plugin-(\w+)$/.exec(uid)?.[1];
  return id !== undefined && isIdle(stack, id) ? id : undefined;
}

const mayBeEmpty = (what: string): boolean => MAY_BE_EMPTY.some((one) => one.what.test(what));

function grafanaRules() {
  const { groups = [] } = alertingSchema.parse(yaml("provisioning/grafana/alerting/rules.yml"));
  return groups.flatMap(({ name, rules }) =>
    rules.map((rule) => ({ group: name, rule, id: rule.labels?.["alert_id"] ?? rule.uid })),
  );
}

/** What alert_history holds, read as Grafana reads it. */
async function historyOf({ reader }: Stack) {
  const { rows } = await reader.query("select labels, triggered from alert_history");
  const names = (triggered: boolean) =>
    [...new Set(rows.filter((row) => row.triggered === triggered).map(({ labels }) => nameOf(labels)))]
      .filter(isOfScene)
      .sort();
  return { firing: names(true), resolved: names(false) };
}
