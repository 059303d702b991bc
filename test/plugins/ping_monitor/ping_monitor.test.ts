import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { after, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { parsePing, statisticsOf } from "../../../src/plugins/ping/parse.ts";
import { pingMonitor } from "../../../src/plugins/ping_monitor.ts";
import { collect } from "../../support/collect.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { withoutProgram } from "../../support/program.ts";
import { freePort } from "../../support/servers/port.ts";

const close = (actual: number | undefined, expected: number) =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

// As iputils 20221126 answers on Debian 12; addresses are those of documentation.
const LOSSY = `PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.
64 bytes from 192.0.2.1: icmp_seq=1 ttl=57 time=12.0 ms
64 bytes from 192.0.2.1: icmp_seq=1 ttl=57 time=12.9 ms (DUP!)
64 bytes from 192.0.2.1: icmp_seq=3 ttl=56 time=18.0 ms

--- 192.0.2.1 ping statistics ---
4 packets transmitted, 2 received, +1 duplicates, 50% packet loss, time 612ms
rtt min/avg/max/mdev = 12.000/14.300/18.000/2.6 ms
`;
const UNREACHABLE = `PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.
From 192.0.2.254 icmp_seq=1 Destination Host Unreachable
From 192.0.2.254 icmp_seq=2 Destination Host Unreachable

--- 192.0.2.1 ping statistics ---
2 packets transmitted, 0 received, +2 errors, 100% packet loss, time 1009ms
pipe 2
`;
const SILENT = `PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.

--- 192.0.2.1 ping statistics ---
2 packets transmitted, 0 received, 100% packet loss, time 1012ms
`;
const BUSYBOX = `PING 192.0.2.1 (192.0.2.1): 56 data bytes
64 bytes from 192.0.2.1: seq=0 ttl=64 time=0.052 ms

--- 192.0.2.1 ping statistics ---
1 packets transmitted, 1 packets received, 0% packet loss
round-trip min/avg/max = 0.052/0.052/0.052 ms
`;

describe("what ping prints", () => {
  it("is read, duplicates left out", () => {
    assert.deepEqual(parsePing(LOSSY), { sent: 4, times: [0.012, 0.018], ttl: 56, isUnreachable: false });
    assert.deepEqual(parsePing(UNREACHABLE), { sent: 2, times: [], isUnreachable: true });
    assert.deepEqual(parsePing(SILENT), { sent: 2, times: [], isUnreachable: false });
    assert.equal(parsePing(BUSYBOX)?.times[0], 0.000052);
    assert.equal(parsePing("ping: socket: Operation not permitted"), undefined);
    fc.assert(fc.property(fc.string(), (text) => void parsePing(text)));
  });

  it("comes to statistics", () => {
    assert.equal(statisticsOf([]), undefined);
    assert.deepEqual(statisticsOf([2]), { min: 2, mean: 2, max: 2, stddev: 0 });
    const { min, mean, max, stddev, jitter } = statisticsOf([1, 3, 2]) ?? {};
    assert.deepEqual([min, mean, max, jitter], [1, 2, 3, 1.5]);
    close(stddev, Math.sqrt(2 / 3));
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: 1 }), (times) => {
        const found = statisticsOf(times);
        assert.ok(found && found.min <= found.mean + 1e-9 && found.mean <= found.max + 1e-9 && found.stddev >= 0);
      }),
    );
  });
});

describe("ping_monitor", () => {
  const folder = temporaryFolder();
  after(() => folder[Symbol.dispose]());

  /** Pings one host. */
  async function ping(settings: object) {
    const config = { hosts: ["127.0.0.1"], count: 2, timeout_seconds: 0.5, ...settings };
    const { value, by, metrics } = await collect(pingMonitor, config);
    const failure = Object.entries(by("ping_failure", "reason")).find(([, holds]) => holds === 1)?.[0];
    assert.equal(value("ping_up"), failure === undefined ? 1 : 0);
    const maybe = (metric: string) => (metrics.includes(metric) ? value(metric) : undefined);
    return {
      failure,
      loss: maybe("ping_loss_ratio"),
      times: by("ping_rtt_seconds", "stat"),
      jitter: maybe("ping_jitter_seconds"),
      ttl: maybe("ping_ttl"),
      overTcp: maybe("ping_over_tcp"),
    };
  }
  /** A program that says this instead of ping. */
  const saying = (text: string, { stderr = "", code = 0 } = {}) => {
    const script = `cat <<'END'\n${text}\nEND\ncat >&2 <<'END'\n${stderr}\nEND\nexit ${code}\n`;
    return ["sh", folder.write(`ping-${text.length}-${stderr.length}.sh`, script)];
  };

  describe("with the host's own ping", { skip: withoutProgram("ping") }, () => {
    it("times the way to this host", async () => {
      const { times, jitter, ...rest } = await ping({ method: "icmp", count: 3 });
      assert.deepEqual(rest, { failure: undefined, loss: 0, ttl: 64, overTcp: 0 });
      assert.deepEqual(Object.keys(times), ["min", "mean", "max", "stddev"]);
      const { min = 0, mean = 0, max = 0 } = times;
      assert.ok(min > 0 && min <= mean && mean <= max && max < 0.5);
      assert.ok(jitter !== undefined && jitter >= 0 && jitter < max);
    });

    it("pings many, and says of a name that there is no such host", async () => {
      const hosts = [...Array.from({ length: 30 }, (_, i) => `127.0.0.${i + 1}`), `${"x".repeat(64)}.invalid`];
      const { by } = await collect(pingMonitor, { hosts, count: 1, method: "icmp" });
      const up = by("ping_up", "host");
      assert.equal(Object.keys(up).length, 31);
      assert.equal(Object.values(up).filter((value) => value === 1).length, 30);
      assert.equal(by("ping_failure", "reason")["resolve"], 1);
    });
  });

  it("tells apart why there is no reply", async () => {
    assert.equal((await ping({ command: saying(SILENT, { code: 1 }) })).failure, "no_reply");
    assert.equal((await ping({ command: saying(UNREACHABLE, { code: 1 }) })).failure, "unreachable");
    const unknown = "ping: x: Temporary failure in name resolution";
    assert.equal((await ping({ command: saying("", { stderr: unknown, code: 2 }) })).failure, "resolve");
    const lossy = await ping({ command: saying(LOSSY) });
    assert.deepEqual([lossy.failure, lossy.loss, lossy.ttl], [undefined, 0.5, 56]);
    close(lossy.jitter, 0.006);
  });

  it("times connections where ping may not be run", async () => {
    const server = createServer((socket) => socket.destroy());
    await once(server.listen(0, "127.0.0.1"), "listening");
    const tcp_port = (server.address() as AddressInfo).port;
    const denied = saying("", { stderr: "ping: socktype: SOCK_RAW\nping: socket: Operation not permitted", code: 2 });
    for (const command of [["/no/such/ping"], denied]) {
      const { failure, loss, ttl, overTcp, times } = await ping({ command, tcp_port });
      assert.deepEqual({ failure, loss, ttl, overTcp }, { failure: undefined, loss: 0, ttl: undefined, overTcp: 1 });
      assert.ok((times["min"] ?? 0) > 0);
      assert.equal((await ping({ command, tcp_port, method: "icmp" })).failure, "not_permitted");
    }
    server.close();
    // A host that refuses is there.
    const refused = await ping({ method: "tcp", tcp_port: await freePort() });
    assert.deepEqual([refused.failure, refused.loss], [undefined, 0]);
    const nobody = await ping({ method: "tcp", hosts: [`${"x".repeat(64)}.invalid`] });
    assert.deepEqual([nobody.failure, nobody.loss], ["resolve", 1]);
  });

  it("ends at once when its run does, and takes its programs along", async () => {
    const pidFile = folder.at("pid");
    const command = ["sh", folder.write("sleep.sh", `echo $$ > ${pidFile}\nexec sleep 30\n`)];
    const deadline = new AbortController();
    const run = collect(pingMonitor, { hosts: ["127.0.0.1"], command }, { signal: deadline.signal });
    const pid = await fileNumber(pidFile);
    const begun = performance.now();
    deadline.abort(new Error("over"));
    await assert.rejects(run, /over/);
    assert.ok(performance.now() - begun < 100);
    for (let waited = 0; isAlive(pid) && waited < 2_000; waited += 10) await delay(10);
    assert.equal(isAlive(pid), false);
  });

  it("refuses a host that ping would take for an option, or one twice", () => {
    const problem = (...hosts: string[]) => pingMonitor.config.safeParse({ hosts }).error?.issues[0]?.message;
    assert.match(problem("-f") ?? "", /host name or an address/);
    assert.match(problem("a", "a") ?? "", /each host once/);
    assert.match(problem("a b") ?? "", /./);
    assert.equal(problem("router", "2001:db8::1"), undefined);
  });
});

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function fileNumber(path: string): Promise<number> {
  const { readFile } = await import("node:fs/promises");
  for (;;) {
    const text = await readFile(path, "utf8").catch(() => "");
    if (text.endsWith("\n")) return Number(text);
    await delay(5);
  }
}
