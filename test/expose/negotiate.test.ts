import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { negotiate } from "../../src/expose/negotiate.ts";

const TEXT = "text/plain; version=0.0.4; charset=utf-8";
const OM = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const OM_ESCAPING = `${OM}; escaping=underscores`;
const OM_001 = "application/openmetrics-text; version=0.0.1; charset=utf-8";

describe("Accept", () => {
  const cases: readonly [who: string, accept: string | undefined, contentType: string][] = [
    [
      "Prometheus 2.42",
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      OM,
    ],
    [
      "Prometheus 3",
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
      OM_ESCAPING,
    ],
    [
      "Prometheus 3 with native histograms",
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
      OM_ESCAPING,
    ],
    ["Prometheus 3, text 1.0.0 only", "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5", TEXT],
    ["Prometheus 2.5", "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", OM_001],
    [
      "Chromium",
      "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
      TEXT,
    ],
    ["curl", "*/*", TEXT],
    ["nothing", undefined, TEXT],
    ["an empty header", "", TEXT],
    ["a type nobody has", "application/json", TEXT],
    ["OpenMetrics 2.0 only", "application/openmetrics-text;version=2.0.0", TEXT],
    ["OpenMetrics without a version", "application/openmetrics-text", OM],
    ["odd spelling", 'Application/OpenMetrics-Text ; Version="1.0.0" ; Q=0.9 , text/plain;q=0.2', OM],
    ["text preferred", "application/openmetrics-text;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.9", TEXT],
    ["a wildcard preferred", "application/openmetrics-text;version=1.0.0;q=0.3,*/*", TEXT],
    ["a tie with a wildcard", "*/*,application/openmetrics-text;version=1.0.0", OM],
    ["a tie, text first", "text/plain,application/openmetrics-text", TEXT],
    ["OpenMetrics refused", "application/openmetrics-text;q=0,*/*;q=0.1", TEXT],
    ["a q that is none", "application/openmetrics-text;q=high,text/plain;q=0.5", OM],
    ["a known escaping scheme", "application/openmetrics-text;version=1.0.0;escaping=dots", OM_ESCAPING],
    ["an unknown escaping scheme", "application/openmetrics-text;version=1.0.0;escaping=evil", OM],
  ];
  for (const [who, accept, contentType] of cases) {
    test(who, () => {
      const chosen = negotiate({ accept });
      assert.equal(chosen.contentType, contentType);
      assert.equal(chosen.format, contentType === TEXT ? "text" : "openmetrics");
    });
  }

  test("whatever is asked, the answer is one of four constants", () => {
    const pieces = fc.constantFrom(
      "application/openmetrics-text",
      "text/plain",
      ";",
      ",",
      "version=1.0.0",
      "q=",
      "0.5",
      "escaping=",
      "allow-utf-8",
      "\r\nX: y",
      '"',
      "*/*",
      " ",
    );
    const header = fc.oneof(
      fc.string(),
      fc.array(pieces).map((given) => given.join("")),
    );
    fc.assert(
      fc.property(header, header, (accept, encoding) => {
        const { contentType } = negotiate({ accept, "accept-encoding": encoding });
        assert.ok([TEXT, OM, OM_ESCAPING, OM_001].includes(contentType));
      }),
      { numRuns: 1_000 },
    );
  });

  test("a header as long as Node takes is read at once", () => {
    const start = performance.now();
    negotiate({ accept: '"\\",;='.repeat(2_700), "accept-encoding": ",".repeat(16_000) });
    assert.ok(performance.now() - start < 200);
  });
});

test("Accept-Encoding", () => {
  const gzip = (header?: string): boolean => negotiate({ "accept-encoding": header }).gzip;
  for (const yes of ["gzip", "gzip, deflate, br", "*", "deflate;q=0.5, GZIP;q=0.1", "x-gzip", "gzip;q=0.5,*;q=0"]) {
    assert.equal(gzip(yes), true, yes);
  }
  for (const no of [
    undefined,
    "",
    "identity",
    "deflate, br",
    "gzip;q=0",
    "gzip;q=0.0, *",
    "*;q=0",
    "gzip;q=0.2, identity",
  ]) {
    assert.equal(gzip(no), false, no);
  }
});
