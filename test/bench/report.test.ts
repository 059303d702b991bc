import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { temporaryFolder } from "../support/folder.ts";
import { writeReport } from "./report.ts";
import { atLeast, atMost, figure, type Line, line, notMeasured } from "./support/bench.ts";
import { timesBetter } from "./support/overview.ts";
import { fillPage } from "./support/page.ts";
import type { Result } from "./support/results.ts";

const machine = {
  ...{
    cores: 2,
    cpu: "A processor",
    memory: 25,
    system: "Debian",
    kernel: "6.1",
    node: "24.21.0",
    postgresql: "15.18",
  },
};
const result = (bench: string, lines: readonly Line[]): Result => ({
  ...{ bench, command: `npm run bench -- ${bench}`, date: "2026-03-01", machine, lines },
});
const store = (ours: number) =>
  result("store", [
    line({
      bench: "store",
      what: "drones",
      unit: "rows/s",
      ours,
      against: "psql | copy",
      theirs: 200,
      bar: atLeast(0.45),
    }),
    notMeasured({ bench: "store", what: "hypertables", unit: "rows/s" }, "no server"),
  ]);
const collector = result(
  "collector",
  [100, 2_000].flatMap((kits) => [
    figure({
      bench: "collector",
      what: `${kits} kits: CPU of gleaner`,
      unit: "cores",
      ours: kits / 2_000,
      bar: atMost(0.7, "figure"),
    }),
    figure({
      bench: "collector",
      what: `${kits} kits: gap between polls, p99`,
      unit: "s",
      ours: 5,
      bar: atMost(5.5, "figure"),
    }),
  ]),
);

describe("the report of the benches", () => {
  it("replaces the figures of the benches that ran, and keeps prose and the others", () => {
    using folder = temporaryFolder();
    const page = () => readFileSync(folder.at("benchmarks.md"), "utf8");
    writeReport([store(100), collector], folder.path);
    folder.write("benchmarks.md", page().replace("## store\n", "## store\n\nWritten by hand.\n"));
    writeReport([store(80)], folder.path);
    const text = page();
    assert.match(text, /## store\n\nWritten by hand\.\n/);
    assert.match(text, /\| drones \| 80 \| psql \\\| copy \| 200 \| rows\/s \| 0\.4 \| ≥ 0\.45× \| \*\*fail\*\* \|/);
    assert.match(text, /\| hypertables .* not measured: no server \|/);
    assert.match(text, /\| 2000 kits: CPU of gleaner \| 1 \| cores \| ≤ 0\.7 \| \*\*fail\*\* \|/);
    assert.match(text, /3 of 5 bars are met\.\n\nMissed:\n\n- collector: 2000 kits: CPU of gleaner\n- store: drones/);
    assert.match(text, /2 cores of A processor, 25 GB; Debian, Linux 6\.1; Node 24\.21\.0, PostgreSQL 15\.18/);
    assert.equal(text.split("## store").length, 2);
    writeReport([], folder.path);
    assert.equal(page(), text, "a second time nothing changes");
  });

  it("draws every line with a bar, and the growth of the fleet, on a background of its own", () => {
    using folder = temporaryFolder();
    writeReport([store(100), collector], folder.path);
    const drawn = (name: string) => readFileSync(folder.at(`benchmarks/${name}.svg`), "utf8");
    for (const text of ["drones / psql | copy", "2000 kits: CPU of gleaner", "0.5× (≥ 0.45)", "1 cores (≤ 0.7)"])
      assert.ok(drawn("overview").includes(`>${text}<`), text);
    for (const text of ["CPU (cores)", "2,000", "bar ≤ 0.7", "gleaner"])
      assert.ok(drawn("collector").includes(`>${text}<`), text);
    for (const name of ["overview", "collector"]) assert.match(drawn(name), /<rect width="1100" [^>]*fill="#ffffff"/);
  });

  it("puts generated parts between their marks only", () => {
    const page = fillPage("# Page\n", { a: "one", b: "two" });
    const prose = page.replace("## a", "Before.\n\n## a").replace(/$/, "After.\n");
    const again = fillPage(prose, { a: "three", b: "two" });
    assert.equal(again, prose.replace("one", "three"));
  });
});

it("tells how many times better than its bar a line is, whichever way it counts", () => {
  const parts = { bench: "b", what: "w", unit: "u" };
  assert.equal(timesBetter(line({ ...parts, ours: 30, against: "them", theirs: 10, bar: atLeast(2) })), 1.5);
  assert.equal(timesBetter(line({ ...parts, ours: 10, against: "them", theirs: 40, bar: atMost(0.5) })), 2);
  assert.equal(timesBetter(figure({ ...parts, ours: 10, bar: atMost(5, "figure") })), 0.5);
});
