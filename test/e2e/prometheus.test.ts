// A real Prometheus with the configuration that we ship, against a real gleaner that polls simulated kits. Only addresses,
// intervals and the place of the token are changed.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it, type TestContext } from "node:test";
import { text } from "../packaging/files.ts";
import { eventually } from "../support/eventually.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/folder.ts";
import { startGleaner } from "../support/process.ts";
import { startProgram, withoutProgram } from "../support/program.ts";

const KITS = ["kit-001", "kit-002", "kit-003"];
const AWAY = "kit-003";

const CASES = [
  { file: "prometheus.yml", address: "127.0.0.1:9470", listen: "127.0.0.1:0", token: undefined },
  {
    file: "provisioning/prometheus/prometheus.yml",
    address: "gleaner:9470",
    // As in the image: beyond loopback, where nothing is answered without the token.
    listen: "0.0.0.0:0",
    token: randomBytes(32).toString("hex"),
  },
] as const;
type Case = (typeof CASES)[number];

interface Target {
  readonly labels: Readonly<Record<string, string>>;
  readonly health: "up" | "down" | "unknown";
  readonly lastError: string;
}

/** Starts Prometheus on the shipped file, pointed at `gleaner` (`host:port`); returns its address. */
async function startPrometheus(
  t: TestContext,
  folder: TemporaryFolder,
  { file, address, token }: Case,
  gleaner: string,
) {
  const config = text(file)
    .replaceAll(address, gleaner)
    .replaceAll("/run/secrets/gleaner_token", folder.write("token", `${token}\n`))
    .replaceAll(/scrape_interval: \S+/g, "scrape_interval: 1s");
  const args = [`--config.file=${folder.write("prometheus.yml", config)}`, `--storage.tsdb.path=${folder.at("data")}`];
  const env = { PATH: process.env["PATH"] ?? "" };
  const prometheus = startProgram("prometheus", [...args, "--web.listen-address=127.0.0.1:0"], {
    cwd: folder.path,
    env,
  });
  t.after(() => prometheus.stop());
  const [, bound] = await prometheus.printed(/Listening on"? address=(127\.0\.0\.1:\d+)/);
  return `http://${bound}/api/v1`;
}

async function ask<T>(url: string): Promise<T> {
  return ((await (await fetch(url)).json()) as { data: T }).data;
}

/** Value of each series that a query finds, by its label `kit`. */
async function byKit(api: string, query: string): Promise<Record<string, number>> {
  type Result = { result: { metric: { kit?: string }; value: [number, string] }[] };
  const { result } = await ask<Result>(`${api}/query?query=${encodeURIComponent(query)}`);
  return Object.fromEntries(result.map(({ metric, value }) => [metric.kit ?? "", Number(value[1])]));
}

describe("a real Prometheus", { skip: withoutProgram("prometheus"), concurrency: true }, () => {
  for (const shipped of CASES) {
    it(`scrapes gleaner and probes each kit by ${shipped.file}`, async (t) => {
      using folder = temporaryFolder();
      const env = { GLEANER_LISTEN: shipped.listen, GLEANER_TOKEN: shipped.token };
      const demo = ["demo", `--kits=${KITS.length}`, `--faults=${AWAY}=refused`];
      await using gleaner = await startGleaner({ cwd: folder.path, env }, demo);
      const address = `127.0.0.1:${new URL(gleaner.url).port}`;
      for (const path of ["metrics", "sd/kits", `probe?target=${AWAY}`]) {
        const { status } = await fetch(`http://${address}/${path}`);
        assert.equal(status, shipped.token === undefined ? 200 : 401, path);
      }

      const api = await startPrometheus(t, folder, shipped, address);
      const targets = await eventually(async () => {
        const { activeTargets } = await ask<{ activeTargets: Target[] }>(`${api}/targets`);
        assert.deepEqual(
          activeTargets.map(({ labels: { job, kit }, health, lastError }) => [job, kit, health, lastError]).sort(),
          [["gleaner", undefined, "up", ""], ...KITS.map((kit) => ["gleaner_kits", kit, "up", ""])],
        );
        return activeTargets;
      });
      const own = targets.find(({ labels }) => labels["job"] === "gleaner");
      assert.equal(own?.labels["instance"], address);

      const answering = Object.fromEntries(KITS.map((kit) => [kit, kit === AWAY ? 0 : 1]));
      assert.deepEqual(await byKit(api, "probe_success"), answering);
      assert.deepEqual(Object.keys(await byKit(api, "probe_duration_seconds")).sort(), KITS);
      // The fleet's own data comes once: with the scrape of /metrics, not again with each probe.
      assert.deepEqual(await byKit(api, `{__name__=~"gleaner_.+", job="gleaner_kits"}`), {});
      await eventually(async () => assert.deepEqual(await byKit(api, `gleaner_kit_up{job="gleaner"}`), answering));
      assert.equal((await gleaner.stop()).code, 0);
    });
  }
});
