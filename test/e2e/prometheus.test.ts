// A real Prometheus with the configuration that we ship, against a real gleaner that polls simulated kits. Only addresses,
// intervals and the place of the token are changed.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type Program, startProgram, until, withoutProgram } from "../support/program.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const KITS = ["kit-001", "kit-002", "kit-003"];
const AWAY = "kit-003";

const CASES = [
  { file: "prometheus.yml", address: "127.0.0.1:9470", listen: "127.0.0.1:0", token: null },
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

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gleaner-prometheus-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** gleaner with three simulated kits, one of which cannot be reached; returns its `host:port`. */
async function startGleaner(t: TestContext, { listen, token }: Case): Promise<string> {
  const args = [join(ROOT, "bin/gleaner.js"), "demo", `--kits=${KITS.length}`, `--faults=${AWAY}=refused`];
  const env = { GLEANER_LISTEN: listen, ...(token === null ? {} : { GLEANER_TOKEN: token }) };
  const gleaner = startProgram(process.execPath, args, { cwd: await temporaryFolder(t), env });
  t.after(async () => assert.equal(await gleaner.stop(), 0, gleaner.output()));
  const [, port] = await gleaner.printed(/serving +http:\/\/[a-z0-9.]+:(\d+)\//);
  return `127.0.0.1:${port}`;
}

async function startPrometheus(t: TestContext, { file, address, token }: Case, gleaner: string): Promise<string> {
  const folder = await temporaryFolder(t);
  const shipped = await readFile(join(ROOT, file), "utf8");
  const config = shipped
    .replaceAll(address, gleaner)
    .replaceAll("/run/secrets/gleaner_token", join(folder, "token"))
    .replaceAll(/scrape_interval: \S+/g, "scrape_interval: 1s");
  await writeFile(join(folder, "token"), `${token}\n`);
  await writeFile(join(folder, "prometheus.yml"), config);
  const args = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`];
  const prometheus: Program = startProgram("prometheus", [...args, "--web.listen-address=127.0.0.1:0"], {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "" },
  });
  t.after(() => prometheus.stop());
  const [, bound] = await prometheus.printed(/Listening on"? address=(127\.0\.0\.1:\d+)/);
  return `http://${bound}`;
}

async function api<T>(prometheus: string, path: string): Promise<T> {
  const response = await fetch(`${prometheus}/api/v1/${path}`);
  return ((await response.json()) as { data: T }).data;
}

/** Value of each series that a query finds, by its label `kit`. */
async function byKit(prometheus: string, query: string): Promise<Record<string, number>> {
  type Result = { result: { metric: { kit?: string }; value: [number, string] }[] };
  const { result } = await api<Result>(prometheus, `query?query=${encodeURIComponent(query)}`);
  return Object.fromEntries(result.map(({ metric, value }) => [metric.kit ?? "", Number(value[1])]));
}

describe("a real Prometheus", { skip: withoutProgram("prometheus"), concurrency: true }, () => {
  for (const shipped of CASES) {
    it(`scrapes gleaner and probes each kit by ${shipped.file}`, async (t) => {
      const gleaner = await startGleaner(t, shipped);
      for (const path of ["metrics", "sd/kits", `probe?target=${AWAY}`]) {
        const { status } = await fetch(`http://${gleaner}/${path}`);
        assert.equal(status, shipped.token === null ? 200 : 401, path);
      }
      const prometheus = await startPrometheus(t, shipped, gleaner);
      const targets = async () => (await api<{ activeTargets: Target[] }>(prometheus, "targets")).activeTargets;
      await until(async () => {
        const seen = await targets();
        return seen.length === 1 + KITS.length && seen.every(({ health }) => health !== "unknown");
      });
      const seen = await targets();
      assert.deepEqual(
        seen.map(({ labels: { job, kit }, health, lastError }) => [job, kit, health, lastError]).sort(),
        [["gleaner", undefined, "up", ""], ...KITS.map((kit) => ["gleaner_kits", kit, "up", ""])],
      );
      const own = seen.find(({ labels }) => labels["job"] === "gleaner");
      assert.equal(own?.labels["instance"], gleaner);

      const answering = Object.fromEntries(KITS.map((kit) => [kit, kit === AWAY ? 0 : 1]));
      assert.deepEqual(await byKit(prometheus, "probe_success"), answering);
      assert.deepEqual(Object.keys(await byKit(prometheus, "probe_duration_seconds")).sort(), KITS);
      // The fleet's own data comes once: with the scrape of /metrics, not again with each probe.
      assert.deepEqual(await byKit(prometheus, `{__name__=~"gleaner_.+", job="gleaner_kits"}`), {});
      const up = await until(async () => {
        const states = await byKit(prometheus, `gleaner_kit_up{job="gleaner"}`);
        return states["kit-001"] === 1 && states["kit-002"] === 1 ? states : undefined;
      });
      assert.deepEqual(up, answering);
    });
  }
});
