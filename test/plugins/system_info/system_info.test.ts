import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { type CpuTimes, usage } from "../../../src/plugins/host/cpu.ts";
import { fromLibrary, type LibraryAnswers, readLibrary } from "../../../src/plugins/host/library-system.ts";
import { parseLoadavg } from "../../../src/plugins/host/load.ts";
import { parseMeminfo } from "../../../src/plugins/host/memory.ts";
import { parseOsRelease } from "../../../src/plugins/host/os.ts";
import { parsePressure } from "../../../src/plugins/host/pressure.ts";
import { parseStat } from "../../../src/plugins/host/stat.ts";
import { readLinux, systemInfo } from "../../../src/plugins/system_info.ts";
import { contextOf, undeclared } from "../../support/plugins.ts";

type Reading = Awaited<ReturnType<typeof readLinux>>;
const target = { id: "t", config: systemInfo.config.parse({}), tags: {} };
const measured = (samples: Reading["samples"], metric: string) => samples.find((s) => s.metric === metric)?.value;
const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

test("usage is the share of each mode between two readings", () => {
  const before: CpuTimes = { 0: { user: 10, idle: 90 }, 1: { user: 0, idle: 100 } };
  const now: CpuTimes = { 0: { user: 13, idle: 97 }, 1: { user: 1, idle: 109 } };
  assert.deepEqual(
    [...usage(now, before)],
    [
      ["user", 4 / 20],
      ["idle", 16 / 20],
    ],
  );
  assert.deepEqual(
    [...usage(before, undefined)],
    [
      ["user", 10 / 200],
      ["idle", 190 / 200],
    ],
    "first: since boot",
  );
  assert.deepEqual([...usage(now, now)], [], "no time passed: no share");
});

test("usage leaves out a CPU that came, and time that ran backwards", () => {
  const before: CpuTimes = { 0: { user: 10, idle: 90, iowait: 5 } };
  const now: CpuTimes = { 0: { user: 11, idle: 93, iowait: 4 }, 1: { user: 500, idle: 1 } };
  assert.deepEqual(
    [...usage(now, before)],
    [
      ["user", 0.25],
      ["idle", 0.75],
      ["iowait", 0],
    ],
  );
});

const times = fc.dictionary(
  fc.constantFrom("0", "1", "2"),
  fc.record({ user: fc.nat(), system: fc.nat(), idle: fc.nat() }),
);
test("shares lie within 0..1 and add up to 1 whatever the counters do", () => {
  fc.assert(
    fc.property(times, fc.option(times, { nil: undefined }), (now, before) => {
      const shares = [...usage(now, before).values()];
      assert.ok(shares.every((share) => share >= 0 && share <= 1));
      assert.ok(shares.length === 0 || Math.abs(sum(shares) - 1) < 1e-9);
    }),
  );
});

test("reads many CPUs, and kernels with fewer columns", () => {
  const lines = Array.from({ length: 256 }, (_, cpu) => `cpu${cpu} 100 200 300 400 500 600 700 800 900 1000`);
  const { cpus } = parseStat(["cpu  1 2 3 4", ...lines, "intr 5", ""].join("\n"));
  assert.equal(Object.keys(cpus).length, 256);
  assert.deepEqual(cpus["255"], { user: 1, nice: 2, system: 3, idle: 4, iowait: 5, irq: 6, softirq: 7, steal: 8 });
  assert.deepEqual(parseStat("cpu0 100 0 50 900\n").cpus, { 0: { user: 1, nice: 0, system: 0.5, idle: 9 } });
});

test("no parser throws on any text, nor makes a number up", () => {
  const text = fc.oneof(
    fc.string(),
    fc.stringMatching(/^(cpu\d|MemTotal|ctxt|some|full|avg10|total|ID)[:= ]+[\da-z ]*\n?/),
  );
  fc.assert(
    fc.property(text, (input) => {
      parseOsRelease(input);
      const parts = [parseStat(input).samples, parseMeminfo(input), parseLoadavg(input), parsePressure("io", input)];
      assert.ok(parts.flat().every(({ value }) => Number.isFinite(value)));
    }),
  );
});

test("os-release values may be quoted either way or not at all", () => {
  const fields = parseOsRelease(`NAME="A \\"b\\""\nID=debian\nVERSION_ID='12'\nBUILD=\n# ID=no\n`);
  assert.deepEqual(Object.fromEntries(fields), { NAME: 'A \\"b\\"', ID: "debian", VERSION_ID: "12", BUILD: "" });
});

test("this host: values are plausible, and the second run covers the time since the first", async () => {
  const context = contextOf({ now: () => new Date() });
  const first = await systemInfo.jobs.system.collect(target, context);
  await delay(50);
  const second = await systemInfo.jobs.system.collect(target, context);
  for (const collected of [first, second]) {
    const { samples } = collected;
    assert.deepEqual(undeclared(systemInfo, collected), []);
    const [total = 0, available = 0] = ["memory_total_bytes", "memory_available_bytes"].map((m) =>
      measured(samples, m),
    );
    assert.ok(total >= available && available > 0);
    const ratios = samples.filter(({ metric }) => metric.endsWith("_ratio")).map(({ value }) => value);
    assert.ok(ratios.length > 0 && ratios.every((ratio) => ratio >= 0 && ratio <= 1));
    const modes = samples.filter(({ metric }) => metric === "cpu_usage_ratio").map(({ value }) => value);
    assert.ok(Math.abs(sum(modes) - 1) < 1e-9, `modes add up to ${sum(modes)}`);
    const started = (measured(samples, "boot_time_seconds") ?? 0) + (measured(samples, "uptime_seconds") ?? 0);
    assert.ok(Math.abs(started - Date.now() / 1000) < 120, "boot time and uptime make the present");
  }
  const share = (samples: Reading["samples"]) => samples.filter(({ metric }) => metric === "cpu_usage_ratio");
  assert.notDeepEqual(share(first.samples), share(second.samples));
});

test("the library path gives the same host, under the same names", { skip: process.platform !== "linux" }, async () => {
  const [library, direct] = [await readLibrary(new Date()), await readLinux("/")];
  assert.deepEqual(undeclared(systemInfo, library), []);
  const both = (metric: string) => [measured(library.samples, metric), measured(direct.samples, metric)] as const;
  for (const metric of ["memory_total_bytes", "swap_total_bytes"]) {
    const [a, b] = both(metric);
    assert.equal(a, b, metric);
  }
  for (const [metric, tolerance] of [
    ["boot_time_seconds", 2],
    ["uptime_seconds", 2],
    ["load15", 0.5],
  ] as const) {
    const [a = Number.NaN, b = Number.NaN] = both(metric);
    assert.ok(Math.abs(a - b) <= tolerance, `${metric}: ${a} and ${b}`);
  }
  assert.deepEqual(Object.keys(library.cpus), Object.keys(direct.cpus));
  for (const [cpu, modes] of Object.entries(library.cpus)) {
    assert.ok(Math.abs((modes["user"] ?? 0) - (direct.cpus[cpu]?.["user"] ?? 0)) < 2, "CPU times are seconds");
  }
});

/** The shape systeminformation answers with on Windows and macOS; fields that are not read are left out. */
const answers = (overrides: Partial<LibraryAnswers>): LibraryAnswers => ({
  cpus: [{ model: "", speed: 0, times: { user: 2500, nice: 0, sys: 1500, idle: 96_000, irq: 250 } }],
  load: [1.5, 1.25, 1],
  uptime: 1000.4,
  now: new Date("2026-01-02T03:04:05.700Z"),
  memory: { total: 16e9, available: 4e9, swaptotal: 2e9, swapused: 5e8 } as LibraryAnswers["memory"],
  temperature: { main: 61.5, cores: [60, 63], max: 63, socket: [], chipset: 0 },
  os: { distro: "macOS", release: "26.1", kernel: "25.1.0", arch: "arm64" } as LibraryAnswers["os"],
  platform: "darwin",
  ...overrides,
});

test("maps what macOS answers", () => {
  const { cpus, samples } = fromLibrary(answers({}));
  assert.deepEqual(cpus, { 0: { user: 2.5, nice: 0, system: 1.5, idle: 96, irq: 0.25 } });
  const expected: Record<string, number> = {
    load1: 1.5,
    load15: 1,
    memory_total_bytes: 16e9,
    memory_available_bytes: 4e9,
    memory_used_ratio: 0.75,
    swap_total_bytes: 2e9,
    swap_used_bytes: 5e8,
    uptime_seconds: 1000.4,
    boot_time_seconds: Math.round(Date.parse("2026-01-02T03:04:05.700Z") / 1000 - 1000.4),
  };
  for (const [metric, value] of Object.entries(expected)) assert.equal(measured(samples, metric), value, metric);
  assert.deepEqual(
    samples
      .filter(({ metric }) => metric === "temperature_celsius")
      .map(({ value, labels }) => [labels?.["sensor"], value]),
    [
      ["cpu", 61.5],
      ["core 0", 60],
      ["core 1", 63],
    ],
  );
  assert.deepEqual(samples.find(({ metric }) => metric === "os_info")?.labels, {
    name: "macOS",
    version: "26.1",
    kernel: "25.1.0",
    architecture: "arm64",
  });
});

test("Windows has no load average, and sensors without a reading are no sensors", () => {
  const none = {
    main: null,
    cores: [],
    max: null,
    socket: [],
    chipset: null,
  } as unknown as LibraryAnswers["temperature"];
  const { samples } = fromLibrary(answers({ platform: "win32", load: [0, 0, 0], temperature: none }));
  assert.deepEqual(
    samples.filter(({ metric }) => /load|temperature/.test(metric)),
    [],
  );
  assert.ok(samples.some(({ metric }) => metric === "memory_total_bytes"));
});
