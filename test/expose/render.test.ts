import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { negotiate } from "../../src/expose/negotiate.ts";
import { createRenderer } from "../../src/expose/render.ts";
import { createSelf, type Self } from "../../src/expose/self.ts";
import { createSnapshot, type DropReason } from "../../src/expose/snapshot.ts";
import { gauge, point, read } from "./support.ts";

const TEXT = negotiate({});
const OPENMETRICS = negotiate({ accept: "application/openmetrics-text;version=1.0.0;escaping=underscores" });
const up = gauge("kit_up");

function setUp() {
  const self = createSelf({ version: "1.2.3" });
  const drops: DropReason[] = [];
  const snapshot = createSnapshot({ onDropped: (reason) => drops.push(reason) });
  let collections = 0;
  const counting: Self = {
    ...self,
    families: () => {
      collections += 1;
      return self.families();
    },
  };
  after(() => self.close());
  return { snapshot, self, drops, renderer: createRenderer(snapshot, counting), collections: () => collections };
}

describe("the renderer", () => {
  test("puts the fleet and the collector's own metrics into one exposition", async () => {
    const { renderer, snapshot } = setUp();
    snapshot.replace("kit", "s", [point(up, { kit: "1" }, 1)]);
    for (const wanted of [TEXT, OPENMETRICS]) {
      const { body, contentType, encoding } = await renderer.render(wanted);
      assert.equal(contentType, wanted.contentType);
      assert.equal(encoding, undefined);
      const series = [...read(body, wanted.format).keys()];
      assert.ok(series.some((id) => id.startsWith('["kit_up"')));
      assert.ok(series.some((id) => id.startsWith('["gleaner_build_info"')));
    }
  });

  test("concurrent scrapers of a format share one rendering, plain or gzipped, and all are counted", async () => {
    const { renderer, collections } = setUp();
    const zipped = { ...TEXT, gzip: true };
    const answers = await Promise.all(
      [TEXT, zipped, TEXT, zipped, OPENMETRICS].map((wanted) => renderer.render(wanted)),
    );
    assert.equal(collections(), 2, "one per format");
    assert.equal(answers[0]?.body, answers[2]?.body);
    assert.equal(answers[1]?.body, answers[3]?.body);
    assert.equal(answers[1]?.encoding, "gzip");
    assert.deepEqual(gunzipSync(answers[1]?.body ?? ""), answers[0]?.body);
    const { body } = await renderer.render(TEXT);
    assert.equal(collections(), 3, "a later scraper gets a new one");
    assert.match(body.toString(), /^gleaner_scrapes_total\{format="text"\} 4$/m);
    assert.match(body.toString(), /^gleaner_scrapes_total\{format="openmetrics"\} 1$/m);
    assert.match(body.toString(), /^gleaner_scrape_duration_seconds_count 5$/m);
    assert.match(body.toString(), /^gleaner_scrape_series [1-9]\d+$/m);
  });

  test("the collector's own names are taken in both formats", () => {
    const { snapshot, drops } = setUp();
    for (const name of ["gleaner_build_info", "gleaner_scrape_duration_seconds_sum", "gleaner_store_rows"]) {
      snapshot.replace("kit", name, [point(gauge(name), {}, 1)]);
    }
    assert.deepEqual(drops, ["name_clash", "name_clash", "name_clash"]);
  });

  test("a failure is the scrape's, and the next one tries again", async () => {
    const self = createSelf({ version: "1" });
    after(() => self.close());
    let fail = true;
    const renderer = createRenderer(createSnapshot(), {
      ...self,
      families: () => (fail ? Promise.reject(new Error("no")) : self.families()),
    });
    await assert.rejects(Promise.all([renderer.render(TEXT), renderer.render({ ...TEXT, gzip: true })]), /no/);
    fail = false;
    assert.ok((await renderer.render(TEXT)).body.length > 0);
  });
});
