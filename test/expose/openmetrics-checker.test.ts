import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseOpenMetrics } from "../support/openmetrics.ts";
import { parseText } from "../support/text-format.ts";

const GOOD = `# TYPE up_seconds gauge
# UNIT up_seconds seconds
# HELP up_seconds A \\"quoted\\" help.
up_seconds{a="x\\"\\n\\\\",b="y"} 1.5
up_seconds{a="",b="z"} NaN
# TYPE polls counter
# HELP polls Polls.
polls_total{kit="1"} 7
# TYPE wait histogram
# HELP wait Wait.
wait_bucket{le="0.5"} 1
wait_bucket{le="1.0"} 2
wait_bucket{le="+Inf"} 3
wait_sum 4.5
wait_count 3
# EOF
`;

describe("the OpenMetrics checker", () => {
  test("reads what is right", () => {
    const families = parseOpenMetrics(Buffer.from(GOOD));
    assert.deepEqual(
      families.map(({ name, type, unit, help, samples }) => [name, type, unit, help, samples.length]),
      [
        ["up_seconds", "gauge", "seconds", 'A "quoted" help.', 2],
        ["polls", "counter", undefined, "Polls.", 1],
        ["wait", "histogram", undefined, "Wait.", 5],
      ],
    );
    assert.deepEqual(families[0]?.samples[0]?.labels, [
      ["a", 'x"\n\\'],
      ["b", "y"],
    ]);
  });

  const faults: readonly [fault: string, from: string, to: string, message: RegExp][] = [
    ["no # EOF", "# EOF\n", "", /does not end/],
    ["no newline after # EOF", "# EOF\n", "# EOF", /does not end/],
    ["text after # EOF", "# EOF\n", "# EOF\nx 1\n# EOF\n", /EOF before the end/],
    ["a blank line", "# TYPE polls", "\n# TYPE polls", /blank line/],
    ["a foreign comment", "# TYPE polls", "# hello\n# TYPE polls", /comment/],
    ["CRLF", 'polls_total{kit="1"} 7', 'polls_total{kit="1"} 7\r', /bad number/],
    ["a family in two blocks", "# EOF", '# TYPE polls counter\npolls_total{kit="2"} 7\n# EOF', /appears twice/],
    ["interleaved samples", "wait_sum 4.5", 'wait_sum 4.5\npolls_total{kit="2"} 7', /does not fit/],
    ["a sample before its TYPE", GOOD.slice(0, 24), "up_seconds 1\n# TYPE up_seconds gauge", /without a TYPE/],
    ["TYPE twice", "# HELP polls", "# TYPE polls counter\n# HELP polls", /appears twice/],
    [
      "HELP before UNIT",
      '# UNIT up_seconds seconds\n# HELP up_seconds A \\"quoted\\" help.',
      "# HELP up_seconds A.\n# UNIT up_seconds seconds",
      /order/,
    ],
    ["HELP after samples", "# TYPE polls", "# HELP up_seconds late\n# TYPE polls", /after samples/],
    ["a UNIT that is no suffix", "# UNIT up_seconds seconds", "# UNIT up_seconds bytes", /not the suffix/],
    ["an unknown type", "polls counter", "polls count", /unknown type/],
    ["a counter without _total", "polls_total", "polls", /does not fit/],
    ["_total in the family name", "TYPE polls counter", "TYPE polls_total counter", /does not fit|outside/],
    ["a negative counter", "} 7", "} -7", /negative/],
    ["a NaN counter", "} 7", "} NaN", /NaN/],
    ["an le that is not canonical", 'le="1.0"', 'le="1"', /canonical/],
    ["a bucket without le", 'wait_bucket{le="0.5"}', "wait_bucket", /le is missing/],
    ["no +Inf bucket", 'wait_bucket{le="+Inf"} 3\n', "", /no \+Inf/],
    ["buckets out of order", 'le="0.5"', 'le="1.5"', /out of order/],
    ["buckets that fall", '"1.0"} 2', '"1.0"} 0', /cumulative/],
    ["a count that is not the +Inf bucket", "wait_count 3", "wait_count 4", /_count/],
    ["no sum", "wait_sum 4.5\n", "", /no _sum/],
    ["a series twice", "} NaN", '} NaN\nup_seconds{b="z"} 2', /twice/],
    ["a series twice, labels reordered", "} NaN", '} NaN\nup_seconds{b="y",a="x\\"\\n\\\\"} 2', /twice/],
    ["a label twice", 'b="y"', 'a="y"', /label a twice/],
    ["a reserved label name", 'b="y"', '__b="y"', /reserved label/],
    ["a reserved family name", "# TYPE polls", "# TYPE _polls", /reserved family/],
    ["a name that clashes", "# EOF", "# TYPE polls_created gauge\npolls_created 1\n# EOF", /clashes/],
    ["a bad escape", "\\n", "\\t", /bad escape/],
    ["an unescaped quote in HELP", "Polls.", 'Polls".', /unescaped quote/],
    ["an open label value", '"y"}', '"y}', /unterminated/],
    ["a timestamp", "} 7", "} 7 1.5", /bad number/],
    ["an exemplar", "} 7", '} 7 # {a="b"} 1', /bad number/],
    ["JavaScript's Infinity", "wait_sum 4.5", "wait_sum Infinity", /bad number/],
    ["two spaces", "} 7", "}  7", /bad number/],
  ];
  for (const [fault, from, to, message] of faults) {
    test(`rejects ${fault}`, () => {
      assert.ok(GOOD.includes(from), "the fault must be plantable");
      assert.throws(() => parseOpenMetrics(Buffer.from(GOOD.replace(from, to))), message);
    });
  }

  test("rejects what is no UTF-8", () => {
    const bytes = Buffer.from(GOOD);
    bytes[bytes.indexOf("quoted")] = 0xff;
    assert.throws(() => parseOpenMetrics(bytes), /not valid/);
  });
});

describe("the text parser", () => {
  const good = '# HELP up_total A "help" \\\\ \\n.\n# TYPE up_total counter\nup_total{a="b"} 1\n';

  test("reads what is right", () => {
    const [family] = parseText(Buffer.from(good));
    assert.equal(family?.help, 'A "help" \\ \n.');
    assert.deepEqual(family?.samples, [{ name: "up_total", labels: [["a", "b"]], value: 1 }]);
  });

  for (const [fault, bad, message] of [
    ["an open last line", good.slice(0, -1), /does not end/],
    ["a second HELP", good + good, /second HELP/],
    ["a series twice", `${good}up_total{a="b",c=""} 2\n`, /twice/],
    ["a sample of another family", `${good}down 2\n`, /outside its family/],
    ["an escaped quote in HELP", good.replace('"help"', '\\"help\\"'), /bad escape in HELP/],
  ] as const) {
    test(`rejects ${fault}`, () => assert.throws(() => parseText(Buffer.from(bad)), message));
  }
});
