import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import fc from "fast-check";
import { encode } from "../../../src/expose/encode.ts";
import { formatValue } from "../../../src/expose/format.ts";
import { createSnapshot } from "../../../src/expose/snapshot.ts";
import { readLine, readNumber } from "../../../src/plugins/prometheus/line.ts";
import { formatOf, parseExposition } from "../../../src/plugins/prometheus/parse.ts";
import { withoutProgram } from "../../support/program.ts";

const metricName = fc.stringMatching(/^[a-z][a-z0-9_]{0,12}$/);
const labels = fc.dictionary(
  fc.stringMatching(/^[a-z][a-z0-9_]{0,6}$/),
  fc.string({ minLength: 1, unit: "grapheme" }),
  {
    maxKeys: 4,
    noNullPrototype: true,
  },
);
const value = fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(0, -0, 1e21, 5e-324, Number.POSITIVE_INFINITY));

describe("reading what our own encoder writes", () => {
  const families = fc.uniqueArray(
    fc.record({
      name: metricName,
      isCounter: fc.boolean(),
      help: fc.string({ unit: "grapheme" }),
      points: fc.array(fc.record({ labels, value }), { minLength: 1, maxLength: 5 }),
    }),
    { selector: ({ name }) => name, maxLength: 6 },
  );

  for (const format of ["text", "openmetrics"] as const) {
    it(`gives back every series, with value, type and help: ${format}`, async () => {
      await fc.assert(
        fc.asyncProperty(families, async (made) => {
          const snapshot = createSnapshot();
          const points = made.flatMap(({ name, isCounter, help, points }) => {
            const type = isCounter ? ("counter" as const) : ("gauge" as const);
            const family = { name: isCounter ? `${name}_total` : name, type, help };
            return points.map((point) => ({
              family,
              labels: point.labels,
              value: isCounter ? Math.abs(point.value) : point.value,
            }));
          });
          snapshot.replace("owner", "slot", points);
          const kept = snapshot.families();
          const text = (await encode(kept, format)).toString("utf8");
          const { samples, faults, lines } = await parseExposition(text, format);
          assert.deepEqual([...faults], []);
          assert.equal(samples.length, snapshot.size());
          assert.equal(lines, samples.length);
          const wanted = new Map(
            points.map((point) => [key(point.family.name, point.labels), point] as const).reverse(),
          );
          for (const sample of samples) {
            const point = wanted.get(key(sample.name, sample.labels));
            assert.ok(point, `${sample.name} ${JSON.stringify(sample.labels)} was never written`);
            assert.ok(Object.is(sample.value, point.value), `${sample.value} is not ${point.value}`);
            assert.equal(sample.type, point.family.type);
            // Blanks at its ends are not kept.
            assert.equal(sample.help.trim(), point.family.help.toWellFormed().trim());
          }
        }),
        { numRuns: 200 },
      );
    });
  }

  const key = (name: string, set: Readonly<Record<string, string>>) =>
    JSON.stringify([
      name,
      Object.entries(set)
        .map(([label, text]) => [label, text.toWellFormed()])
        .sort(),
    ]);
});

/** Lines of the text format, and whether Prometheus takes them. */
const LINES: Readonly<Record<string, boolean>> = {
  "a 1": true,
  "a{} 1": true,
  'a{b="c"} 1': true,
  'a{b="c",} 1': true,
  'a { b = "c" , d = "e" } 1': true,
  'a{b="c",d="e"}\t1\t1395066363000': true,
  "a\t1": true,
  "a 1 1395066363000": true,
  "a -1.5e-3": true,
  "a +Inf": true,
  "a -Inf": true,
  "a NaN": true,
  "a inf": true,
  "a .5": true,
  "a 5.": true,
  'a{b="\\\\ \\" \\n"} 1': true,
  'a{b="ä😀{}=,#"} 1': true,
  'a{b=""} 1': true,
  "a:b_c9 1": true,
  a: false,
  "a b": false,
  "9a 1": false,
  "a 1 2 3": false,
  'a{b="c} 1': false,
  "a{b=c} 1": false,
  'a{b="c" d="e"} 1': false,
  'a{9="c"} 1': false,
  'a{b="c"': false,
  "a 1,5": false,
  "a --1": false,
  "a 1e": false,
};

describe("lines of an exposition", () => {
  it("are taken or refused as Prometheus does", () => {
    for (const [line, isGood] of Object.entries(LINES)) assert.equal(typeof readLine(line) !== "string", isGood, line);
  });

  it("are taken or refused as promtool does", { skip: withoutProgram("promtool") }, () => {
    for (const [line, isGood] of Object.entries(LINES)) {
      const { stderr } = spawnSync("promtool", ["check", "metrics"], { input: `${line}\n`, encoding: "utf8" });
      assert.equal(!/error while (parsing|linting)/.test(stderr), isGood, `${line}: ${stderr}`);
    }
  });

  it("say name, labels, value and time", () => {
    assert.deepEqual(readLine('a{b="x\\\\\\"\\n\\t",c=""} 1e3 -5'), {
      name: "a",
      labels: { b: 'x\\"\n\\t', c: "" },
      value: 1000,
      timestamp: -5,
    });
    assert.deepEqual(readLine('a_bucket{le="1.0"} 2 # {trace_id="x y"} 0.7 1.5'), {
      name: "a_bucket",
      labels: { le: "1.0" },
      value: 2,
    });
    assert.deepEqual(readLine('a{b=" # "} 2'), { name: "a", labels: { b: " # " }, value: 2 });
    assert.equal(readLine('{"my.metric",b="c"} 1'), "name");
    assert.equal(readLine('a{"my.label"="c"} 1'), "name");
    assert.equal(readLine('a{b="c",b="d"} 1'), "label_twice");
  });

  it("may be anything, and long, without harm", () => {
    const part = fc.constantFrom("a", "{", "}", '"', "\\", "=", ",", " ", "1", "#", "\t", "é", "\n");
    fc.assert(
      fc.property(fc.array(part), (parts) => void readLine(parts.join(""))),
      { numRuns: 1_000 },
    );
    for (const piece of ["\\", '\\"', 'b="c",', "{", " "]) {
      const begun = performance.now();
      readLine(`a{b="${piece.repeat(1_000_000)}`);
      assert.ok(performance.now() - begun < 500, piece);
    }
  });

  it("have numbers as Go reads them", () => {
    assert.equal(readNumber("0x10"), undefined);
    assert.equal(readNumber("1_000"), undefined);
    assert.equal(readNumber(""), undefined);
    assert.equal(readNumber("-infinity"), Number.NEGATIVE_INFINITY);
    fc.assert(fc.property(fc.double({ noNaN: true }), (n) => Object.is(readNumber(formatValue(n)), n)));
  });
});

describe("expositions", () => {
  // The example of the format's own description.
  const EXAMPLE = `# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9

# A weird metric from before the epoch:
something_weird{problem="division by zero"} +Inf -3982045

# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.05"} 24054
http_request_duration_seconds_bucket{le="+Inf"} 144320
http_request_duration_seconds_sum 53423
http_request_duration_seconds_count 144320

# TYPE rpc_duration_seconds summary
rpc_duration_seconds{quantile="0.01"} 3102
rpc_duration_seconds_sum 1.7560473e+07
rpc_duration_seconds_count 2693
rubbish here
`;

  it("give each sample its family's type and help", async () => {
    const { samples, faults, lines } = await parseExposition(EXAMPLE, "text");
    assert.deepEqual(
      samples.map(({ name, family, type, value }) => [name, family, type, value]),
      [
        ["http_requests_total", "http_requests_total", "counter", 1027],
        ["http_requests_total", "http_requests_total", "counter", 3],
        ["msdos_file_access_time_seconds", "msdos_file_access_time_seconds", "untyped", 1.458255915e9],
        ["something_weird", "something_weird", "untyped", Number.POSITIVE_INFINITY],
        ...["bucket", "bucket", "sum", "count"].map((suffix, i) => [
          `http_request_duration_seconds_${suffix}`,
          "http_request_duration_seconds",
          "histogram",
          [24054, 144320, 53423, 144320][i],
        ]),
        ["rpc_duration_seconds", "rpc_duration_seconds", "summary", 3102],
        ["rpc_duration_seconds_sum", "rpc_duration_seconds", "summary", 1.7560473e7],
        ["rpc_duration_seconds_count", "rpc_duration_seconds", "summary", 2693],
      ],
    );
    assert.deepEqual(samples[2]?.labels, { path: "C:\\DIR\\FILE.TXT", error: 'Cannot find file:\n"FILE.TXT"' });
    assert.equal(samples[0]?.help, "The total number of HTTP requests.");
    assert.deepEqual([[...faults], lines], [[["value", 1]], 12]);
  });

  it("in OpenMetrics name the family without the suffix, and say where they end", async () => {
    const text = `# TYPE requests counter
# UNIT requests requests
# HELP requests Of \\"all\\".
requests_total{a="b"} 5 1520879607.789 # {trace_id="x"} 1
requests_created{a="b"} 1520872607.123
# TYPE build info
build_info{version="1"} 1
# TYPE job gaugehistogram
job_bucket{le="+Inf"} 2
job_gcount 2
job_gsum 3
`;
    const whole = await parseExposition(`${text}# EOF\n`, "openmetrics");
    assert.deepEqual(
      whole.samples.map(({ name, type }) => `${name} ${type}`),
      [
        "requests_total counter",
        "build_info info",
        "job_bucket gaugehistogram",
        "job_gcount gaugehistogram",
        "job_gsum gaugehistogram",
      ],
    );
    assert.deepEqual([whole.samples[0]?.help, whole.samples[0]?.timestamp], ['Of "all".', 1520879607.789]);
    assert.deepEqual([...whole.faults], []);
    assert.deepEqual([...(await parseExposition(text, "openmetrics")).faults], [["truncated", 1]]);
  });

  it("are known by their content type", () => {
    assert.equal(formatOf("application/openmetrics-text; version=1.0.0; charset=utf-8"), "openmetrics");
    for (const type of ["text/plain; version=0.0.4", "application/openmetrics-textual", undefined])
      assert.equal(formatOf(type), "text");
  });

  it("may be any text at all", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string(), fc.constantFrom("# TYPE a counter", "# HELP", "a 1", "# EOF"))),
        async (lines) => {
          const { samples, faults, lines: count } = await parseExposition(lines.join("\n"), "text");
          const bad = [...faults.values()].reduce((sum, n) => sum + n, 0);
          assert.ok(samples.length + bad <= count);
        },
      ),
    );
  });
});
