import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startGleaner } from "../support/process.ts";
import { readSqlite } from "../support/rows.ts";

const SECRET = "canary-webhook-9b1d7e";
const body = (name: string) => readFileSync(new URL(`../model/notifications/${name}.json`, import.meta.url), "utf8");

test("what Alertmanager and Grafana report is in alert_history, once, and the token is good for nothing else", async () => {
  using folder = temporaryFolder();
  folder.write("token", `${SECRET}\n`);
  await using gleaner = await startGleaner({
    cwd: folder.path,
    env: { GLEANER_WEBHOOK_TOKEN_FILE: "token", LOG_LEVEL: "debug" },
  });
  const post = async (text: string, token = SECRET) => {
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    const answer = await fetch(`${gleaner.url}/api/alerts/webhook`, { method: "POST", headers, body: text });
    return { status: answer.status, text: await answer.text() };
  };
  for (const name of ["alertmanager", "grafana", "alertmanager"]) {
    const { status, text } = await post(body(name));
    assert.deepEqual([status, JSON.parse(text).accepted], [200, 2], name);
  }
  assert.equal((await post(body("grafana"), "canary-of-somebody-else")).status, 401);
  assert.equal((await gleaner.get("/metrics", { Authorization: `Bearer ${SECRET}` })).status, 403);
  await using db = readSqlite(folder.at("data/gleaner.db"));
  await eventually(async () =>
    assert.deepEqual(
      await db.query(
        "select source, alert_id, triggered, count(*) as n from alert_history group by 1, 2, 3 order by 1, 2, 3",
      ),
      ["alertmanager", "grafana"].flatMap((source) =>
        [0, 1].map((triggered) => ({
          ...{ source, alert_id: source === "grafana" ? "filesystem_filling" : "kit_offline", triggered, n: 1 },
        })),
      ),
    ),
  );
  // What comes a second time is written after what was new.
  const metrics = await eventually(async () => {
    const text = await (await gleaner.get("/metrics")).text();
    assert.match(text, /^gleaner_rows_rejected_total\{reason="alert_truncated"\} 2$/m);
    assert.match(text, /^gleaner_store_rows_total\{table="alert_history"\} 4$/m);
    assert.match(text, /^gleaner_store_duplicate_rows_total\{table="alert_history"\} 2$/m);
    return text;
  });
  await gleaner.stop();
  assert.doesNotMatch(JSON.stringify(gleaner.log()) + gleaner.screen() + metrics, /canary/);
});
