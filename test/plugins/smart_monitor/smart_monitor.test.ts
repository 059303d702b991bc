import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { complaints, isAsleep, reportSamples } from "../../../src/plugins/smart/parse.ts";
import { smartMonitor } from "../../../src/plugins/smart_monitor.ts";
import { collect, fails } from "../../support/collect.ts";
import { temporaryFolder } from "../../support/folder.ts";

it("says that there is no smartctl", () =>
  fails(smartMonitor, { command: ["/nonexistent/smartctl"] }, "unreachable", /is not installed on this host/));

it("runs it without a shell and without gleaner's environment", async () => {
  using folder = temporaryFolder();
  process.env["GLEANER_TEST_SECRET"] = "s3cret";
  const report = '{"smart_status":{"passed":false},"temperature":{"current":41}}';
  const script = folder.write(
    "smartctl",
    `env > ${folder.at("env")}; echo "$*" > ${folder.at("args")}; echo '${report}'\n`,
  );
  const devices = [{ name: "/dev/sda", type: "megaraid,0" }];
  const harvest = await collect(smartMonitor, { command: ["sh", script], devices, wake: true });
  delete process.env["GLEANER_TEST_SECRET"];
  const { readFileSync } = await import("node:fs");
  assert.ok(!readFileSync(folder.at("env"), "utf8").includes("s3cret"));
  assert.equal(readFileSync(folder.at("args"), "utf8").trim(), "--json --all --device=megaraid,0 /dev/sda");
  assert.equal(harvest.value("smart_healthy", { device: "sda megaraid,0" }), 0);
});

it("takes no option and nothing of a shell's for a disk", () => {
  for (const devices of [[{ name: "--version" }], [{ name: "/dev/sda;reboot" }], [{ name: "/dev/sda", type: "-x" }]])
    assert.ok(smartMonitor.config.safeParse({ devices }).error);
});

it("reads the parts of a raw value that count", () => {
  const table = [{ id: 5, raw: { value: 3 * 2 ** 32 + 7 } }];
  const samples = reportSamples({ ata_smart_attributes: { table } }, { device: "sda" });
  assert.equal(samples.find(({ metric }) => metric === "smart_reallocated_sectors")?.value, 7);
});

it("says which of its warnings an NVMe drive gives", () => {
  const report = { nvme_smart_health_information_log: { critical_warning: 0b001010 } };
  const flags = reportSamples(report, { device: "nvme0" }).filter(
    ({ metric, value }) => metric === "nvme_critical_warning" && value === 1,
  );
  assert.deepEqual(
    flags.map(({ labels }) => labels?.["flag"]),
    ["temperature", "read_only"],
  );
});

it("reads any JSON without throwing", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(typeof complaints(value), "string");
      isAsleep(value);
      for (const one of reportSamples(value, { device: "x" })) assert.ok(Number.isFinite(one.value));
    }),
  );
});
