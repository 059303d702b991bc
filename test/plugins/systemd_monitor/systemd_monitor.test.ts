import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { NothingHere } from "../../../src/model/run.ts";
import { parseShow, timeOf, unitSamples } from "../../../src/plugins/systemd/show.ts";
import { systemdMonitor } from "../../../src/plugins/systemd_monitor.ts";
import { collect, fails } from "../../support/collect.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { withoutProgram } from "../../support/program.ts";

it("asks the systemctl of this host, whether or not it runs systemd", {
  skip: withoutProgram("systemctl"),
}, async () => {
  // What sd_booted() looks at.
  if (existsSync("/run/systemd/system")) assert.ok((await collect(systemdMonitor, {})).value("systemd_jobs") >= 0);
  else await assert.rejects(collect(systemdMonitor, {}), NothingHere);
});

it("says that there is no systemctl", () =>
  fails(systemdMonitor, { command: ["/nonexistent/systemctl"] }, "unreachable", /is not installed on this host/));

it("shows failed units first, counts all, and says how many are left out", async () => {
  using folder = temporaryFolder();
  const states = ["active", "inactive", "failed", "active"];
  const units = states.map((state, i) => `Id=u${i}.service\nLoadState=loaded\nActiveState=${state}\n`).join("\n");
  const command = ["sh", folder.write("systemctl", `cat <<'END'\n${units}\nEND\n`)];
  const harvest = await collect(systemdMonitor, { command, max_units: 2 });
  assert.equal(harvest.value("systemd_units", { state: "active" }), 2);
  assert.equal(harvest.value("systemd_unit_state", { unit: "u2.service", state: "failed" }), 1);
  assert.throws(() => harvest.value("systemd_unit_state", { unit: "u1.service", state: "inactive" }));
  assert.deepEqual(
    harvest.rejected.map(({ reason, count }) => [reason, count]),
    [["too_many_units", 2]],
  );
});

it("ends a systemctl that hangs, when the run ends", async () => {
  using folder = temporaryFolder();
  const command = ["sh", folder.write("systemctl", `echo $$ > ${folder.at("pid")}\nexec sleep 60\n`)];
  const stop = new AbortController();
  const reason = new Error("over");
  const verdict = collect(systemdMonitor, { command }, { signal: stop.signal }).catch((error: unknown) => error);
  for (let waited = 0; !existsSync(folder.at("pid")) && waited < 5_000; waited += 10) await delay(10);
  await delay(50);
  stop.abort(reason);
  assert.equal(await Promise.race([verdict, delay(100, "late")]), reason);
});

it("takes no option for a unit", () => {
  assert.ok(systemdMonitor.config.safeParse({ units: ["--host=elsewhere"] }).error);
  assert.ok(systemdMonitor.config.safeParse({ units: ["getty@tty1.service", "dev-*.device"] }).success);
});

it("reads times as every version writes them", () => {
  assert.equal(timeOf("Sun 2026-11-22 06:55:06 UTC"), Date.parse("2026-11-22T06:55:06Z") / 1000);
  assert.equal(timeOf("@1795330505"), 1795330505);
  for (const never of ["n/a", "", "infinity", "Sun 2026-11-22 06:55:06 CET", undefined])
    assert.equal(timeOf(never), undefined);
});

it("reads any text without throwing", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const unit of parseShow(text)) for (const { value } of unitSamples(unit)) assert.ok(Number.isFinite(value));
    }),
  );
});
