import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { dataPoints } from "../../../src/app/points.ts";
import { createHttpClient } from "../../../src/collect/http.ts";
import type { ConfiguredTarget } from "../../../src/model/target.ts";
import { parseExposition } from "../../../src/plugins/prometheus/parse.ts";
import { prometheusScrape } from "../../../src/plugins/prometheus_scrape.ts";
import { toBatch } from "../../../src/process/pipeline.ts";
import { runOf } from "../../app/support.ts";
import { collect, endsWhenAborted, type Harvest } from "../../support/collect.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { contextOf } from "../../support/plugins.ts";
import { freePort } from "../../support/servers/port.ts";
import { startService, withoutServer } from "../../support/servers/service.ts";
import { ok, targetOf } from "../../support/targets.ts";

/** Serves one exposition as an exporter does. */
async function exporter(body: string, { type = "text/plain; version=0.0.4", status = 200 } = {}) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(String(request.headers.accept), String(request.headers.authorization));
    response.writeHead(status, { "content-type": type }).end(body);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`,
    asked,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** Scrapes, and gives what comes out of validation: what is exposed and stored. */
async function scraped(config: object) {
  const target: ConfiguredTarget = { ...targetOf(prometheusScrape), config: prometheusScrape.config.parse(config) };
  const http = createHttpClient();
  try {
    const collected = await prometheusScrape.jobs.scrape.collect(
      target as never,
      contextOf({ http, now: () => new Date() }),
    );
    const batch = toBatch(target, runOf(target, "scrape", ok(collected)));
    const points = dataPoints(batch).filter(({ family }) => !family.name.startsWith("gleaner_"));
    return {
      rejected: Object.fromEntries(batch.rejected.map(({ reason, count }) => [reason, count])),
      series: points.map(({ family, labels, value }) => {
        const { target: own, ...rest } = labels;
        assert.equal(own, "t1");
        return `${family.type} ${family.name}${JSON.stringify(rest)} ${value}`;
      }),
      points,
    };
  } finally {
    await http.close();
  }
}

const failure = (harvest: Harvest) =>
  Object.entries(harvest.by("exporter_failure", "reason")).find(([, holds]) => holds === 1)?.[0];

const TEXT = `# HELP visits_total Visits.
# TYPE visits_total counter
visits_total{page="a"} 3
visits_total{page="b"} 4
# TYPE old_counter counter
old_counter 7
# TYPE load gauge
load{target="theirs",kit="k",__meta="x",job="own"} 0.5
# TYPE wait_seconds histogram
wait_seconds_bucket{le="1"} 1
wait_seconds_bucket{le="+Inf"} 2
wait_seconds_sum 3
wait_seconds_count 2
# TYPE size_bytes summary
size_bytes{quantile="0.5"} NaN
size_bytes_sum 0
size_bytes_count 0
limit +Inf
broken{ 1
"quoted" 1
`;

describe("prometheus_scrape", () => {
  it("keeps names, types and labels, and lets nobody else's label say whose series it is", async () => {
    await using server = await exporter(TEXT);
    const { series, rejected, points } = await scraped({ url: server.url, bearer_token: "t0ken" });
    assert.deepEqual(series, [
      'counter visits_total{"page":"a"} 3',
      'counter visits_total{"page":"b"} 4',
      "counter old_counter_total{} 7",
      'gauge load{"exported_target":"theirs","exported_kit":"k","job":"own"} 0.5',
      'gauge wait_seconds_bucket{"le":"1"} 1',
      'gauge wait_seconds_bucket{"le":"+Inf"} 2',
      "gauge wait_seconds_sum{} 3",
      "gauge wait_seconds_count{} 2",
      "gauge size_bytes_sum{} 0",
      "gauge size_bytes_count{} 0",
    ]);
    assert.deepEqual(rejected, { exposition_syntax: 2, not_a_number: 1 });
    assert.equal(points[0]?.family.help, "Visits.");
    assert.match(server.asked[0] ?? "", /^application\/openmetrics-text;version=1\.0\.0/);
    assert.equal(server.asked[1], "Bearer t0ken");
  });

  it("takes what is wanted, and no more than that", async () => {
    await using server = await exporter(TEXT);
    const { url } = server;
    const names = async (config: object) => [
      ...new Set((await scraped({ url, ...config })).points.map(({ family }) => family.name)),
    ];
    assert.deepEqual(await names({ include: ["visits.*", "load"], exclude: ["visits_total"] }), ["load"]);
    assert.deepEqual(await names({ include: ["visit"] }), []);
    assert.deepEqual(await names({ histograms: false, include: ["wait.*"] }), [
      "wait_seconds_sum",
      "wait_seconds_count",
    ]);
    assert.deepEqual(await names({ include: ["load"], prefix: "edge_" }), ["edge_load"]);
    const dropped = await scraped({ url, include: ["load"], drop_labels: ["job", "kit"] });
    assert.deepEqual(dropped.series, ['gauge load{"exported_target":"theirs"} 0.5']);
    const capped = await scraped({ url, max_series: 3 });
    assert.equal(capped.points.length, 3);
    assert.equal(capped.rejected["too_many_series"], 8);
  });

  it("takes the times that an exporter gives, unless told not to", async () => {
    const now = Math.floor(Date.now() / 1000);
    await using server = await exporter(`a 1 ${now - 60}.5\n# EOF\n`, { type: "application/openmetrics-text" });
    await using text = await exporter(`a 1 ${(now - 60) * 1000 + 500}\n`);
    for (const { url } of [server, text]) {
      const timeOf = async (config: object) => {
        const target = { id: "t", tags: {}, config: prometheusScrape.config.parse({ url, ...config }) };
        const http = createHttpClient();
        const { samples } = await prometheusScrape.jobs.scrape.collect(target, contextOf({ http }));
        await http.close();
        return samples.find(({ metric }) => metric === "a")?.at?.getTime();
      };
      assert.equal(await timeOf({}), (now - 60) * 1000 + 500);
      assert.equal(await timeOf({ honor_timestamps: false }), undefined);
    }
  });

  it("says why an exporter is down, which is no failure of the run", async () => {
    await using page = await exporter("<!doctype html>\n<p>Log in</p>", { type: "text/html" });
    await using busy = await exporter("no", { status: 503 });
    await using empty = await exporter("");
    const reason = async (config: object) => {
      const harvest = await collect(prometheusScrape, config);
      assert.equal(harvest.value("exporter_up"), failure(harvest) === undefined ? 1 : 0);
      return failure(harvest);
    };
    assert.equal(await reason({ url: page.url }), "bad_data");
    assert.equal(await reason({ url: busy.url }), "http_status");
    assert.equal(await reason({ url: empty.url }), undefined);
    assert.equal(await reason({ url: `http://127.0.0.1:${await freePort()}/` }), "unreachable");
    await using silent = await hanging();
    assert.equal(await reason({ url: silent.url, timeout_seconds: 0.1 }), "timeout");
  });

  it("ends at once when its run does, with nothing left open", () =>
    endsWhenAborted(prometheusScrape, (port) => ({ url: `http://127.0.0.1:${port}/metrics` })));

  it("reads megabytes in turns, so that everything else goes on", async () => {
    const lines = Array.from({ length: 90_000 }, (_, i) => `requests_total{path="/page/${i}",method="GET"} ${i}\n`);
    const body = `# TYPE requests_total counter\n${lines.join("")}`;
    await using server = await exporter(body);
    const harvest = await collect(prometheusScrape, { url: server.url, max_series: 1_000 });
    assert.equal(harvest.value("exporter_samples"), 90_000);
    assert.equal(harvest.value("exporter_samples_kept"), 1_000);
    let turns = 0;
    let isOver = false;
    const turn = () => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await parseExposition(body, "text");
    isOver = true;
    assert.ok(turns >= 20, `${turns} turns`);
  });
});

async function hanging() {
  const server = createServer(() => undefined);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

describe("prometheus_scrape against real exporters", () => {
  it("takes all of node_exporter", { skip: withoutServer("prometheus-node-exporter") }, async () => {
    await using service = await startService({
      program: "prometheus-node-exporter",
      args: ({ port }) => [`--web.listen-address=127.0.0.1:${port}`],
    });
    const url = `http://127.0.0.1:${service.port}/metrics`;
    const { points, rejected } = await scraped({ url });
    assert.deepEqual(rejected, {});
    const type = (name: string) => points.find(({ family }) => family.name === name)?.family.type;
    assert.equal(type("node_cpu_seconds_total"), "counter");
    assert.equal(type("node_load1"), "gauge");
    const boot = points.find(({ family }) => family.name === "node_boot_time_seconds")?.value ?? 0;
    assert.ok(boot > 1.6e9 && boot < Date.now() / 1000);
    const body = await (await fetch(url)).text();
    const lines = body.split("\n").filter((line) => line !== "" && !line.startsWith("#") && !line.endsWith(" NaN"));
    // One or two come and go from one scrape to the next.
    assert.ok(Math.abs(points.length - lines.length) < 20, `${points.length} of ${lines.length}`);
    await service.kill();
    assert.equal(failure(await collect(prometheusScrape, { url })), "unreachable");
  });

  it("takes all of Prometheus itself", { skip: withoutServer("prometheus") }, async () => {
    using folder = temporaryFolder();
    const config = folder.write("prometheus.yml", "{}\n");
    await using service = await startService({
      program: "prometheus",
      args: ({ port, folder }) => [
        `--config.file=${config}`,
        `--web.listen-address=127.0.0.1:${port}`,
        `--storage.tsdb.path=${folder}`,
        "--log.level=error",
      ],
    });
    const url = `http://127.0.0.1:${service.port}/metrics`;
    // It tells of no request before there was one.
    await scraped({ url });
    const { points, rejected } = await scraped({ url });
    assert.deepEqual(rejected, {});
    const names = new Set(points.map(({ family }) => family.name));
    for (const name of [
      "prometheus_http_request_duration_seconds_bucket",
      "prometheus_engine_query_duration_seconds_sum",
      "go_goroutines",
    ])
      assert.ok(names.has(name), name);
    const info = points.find(({ family }) => family.name === "prometheus_build_info");
    assert.match(info?.labels["version"] ?? "", /^\d+\.\d+\.\d+/);
  });
});
