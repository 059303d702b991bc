import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { fromLibrary, type LibraryAnswers, readLibrary } from "../../../src/plugins/host/library-network.ts";
import { parseDevices } from "../../../src/plugins/host/netdev.ts";
import { parseSnmp } from "../../../src/plugins/host/snmp.ts";
import { countStates } from "../../../src/plugins/host/tcp.ts";
import { networkMonitor, readLinux } from "../../../src/plugins/network_monitor.ts";
import { contextOf, undeclared } from "../../support/plugins.ts";

const config = networkMonitor.config.parse({});
type Samples = Awaited<ReturnType<typeof readLinux>>;
const measured = (samples: Samples, metric: string, label?: string) =>
  samples.find((s) => s.metric === metric && (!label || Object.values(s.labels ?? {}).includes(label)))?.value;

test("any device name and any counters are read back", () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9_.:@-]{1,15}$/);
  const columns = fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { minLength: 16, maxLength: 16 });
  const gap = fc.constantFrom("", " ", "     ");
  fc.assert(
    fc.property(name, columns, gap, (device, numbers, space) => {
      const text = `Inter-|   Receive  |  Transmit\n face |bytes packets\n  ${device}:${space}${numbers.join(" ")}\n`;
      assert.deepEqual([...parseDevices(text)], [[device, numbers.map(Number)]]);
    }),
  );
});

test("no parser throws on any text", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
      parseDevices(text);
      parseSnmp(text);
      await countStates([text]);
    }),
  );
});

test("sockets are counted by state, wherever the table of them is cut in pieces", async () => {
  const codes = fc.array(fc.constantFrom("01", "06", "0A", "0D"), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(codes, fc.integer({ min: 1, max: 200 }), async (states, size) => {
      const line = (state: string, i: number) =>
        `${String(i).padStart(4)}: 0100007F:1F90 00000000:0000 ${state} 00000000:00000000 00:00000000\n`;
      const text = `  sl  local_address rem_address   st tx_queue rx_queue\n${states.map(line).join("")}`;
      const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
        text.slice(i * size, (i + 1) * size),
      );
      const of = (code: string) => states.filter((state) => state === code).length || undefined;
      const counts = await countStates(pieces);
      assert.deepEqual(
        [counts.get("established"), counts.get("time_wait"), counts.get("listen"), counts.get(undefined)],
        [of("01"), of("06"), of("0A"), of("0D")],
      );
    }),
  );
});

test("reads counters by name, in whatever order the kernel has them", () => {
  const text = "Tcp: OutSegs RetransSegs MaxConn\nTcp: 10 3 -1\nUdp: InErrors\nUdp: 4\nUdpLite: InErrors\nUdpLite: 9\n";
  assert.deepEqual(Object.fromEntries(parseSnmp(text)), {
    "Tcp:OutSegs": 10,
    "Tcp:RetransSegs": 3,
    "Tcp:MaxConn": -1,
    "Udp:InErrors": 4,
    "UdpLite:InErrors": 9,
  });
});

test("this host: an open connection is counted, and loopback traffic with it", {
  skip: process.platform !== "linux",
}, async () => {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [[peer]] = await Promise.all([once(server, "connection"), once(client, "connect")]);
  try {
    const collected = await networkMonitor.jobs.network.collect({ id: "t", config, tags: {} }, contextOf());
    assert.deepEqual(undeclared(networkMonitor, collected), []);
    const { samples } = collected;
    assert.ok((measured(samples, "tcp_connections", "established") ?? 0) >= 2, "both ends");
    assert.ok((measured(samples, "tcp_connections", "listen") ?? 0) >= 1);
    assert.ok((measured(samples, "network_receive_packets_total", "lo") ?? 0) >= 3);
    assert.equal(measured(samples, "network_up", "lo"), 1);
    assert.ok((measured(samples, "sockets_used") ?? 0) > 0);
    assert.ok(samples.every(({ value }) => value >= 0));
  } finally {
    client.destroy();
    peer.destroy();
    server.close();
    await once(server, "close");
  }
});

test("the library path gives the same devices, under the same names", {
  skip: process.platform !== "linux",
}, async () => {
  const [library, direct] = [await readLibrary(config), await readLinux(config)];
  assert.deepEqual(undeclared(networkMonitor, { samples: library }), []);
  const received = library.filter(({ metric }) => metric === "network_receive_bytes_total");
  assert.ok(received.length > 0);
  for (const { value, labels } of received) {
    const now = measured(direct, "network_receive_bytes_total", labels?.["device"]);
    assert.ok(now !== undefined && now >= value, `${labels?.["device"]}: ${value}, then ${now}`);
  }
  assert.equal(measured(library, "network_up", "lo"), 1);
  assert.equal(library.filter(({ metric }) => metric === "tcp_connections").length, 12);
});

const stats = (iface: string, operstate: string): LibraryAnswers["counters"][number] => ({
  iface,
  operstate,
  rx_bytes: 1,
  rx_dropped: 2,
  rx_errors: 3,
  tx_bytes: 4,
  tx_dropped: 5,
  tx_errors: 6,
  rx_sec: 0,
  tx_sec: 0,
  ms: 0,
});

test("maps what macOS and Windows answer", () => {
  const states = [
    "ESTABLISHED",
    "ESTABLISHED",
    "LISTEN",
    "LISTENING",
    "TIME-WAIT",
    "FIN_WAIT_1",
    "FIN_WAIT2",
    "",
    "ODD",
  ];
  const samples = fromLibrary(
    {
      counters: [stats("en0", "up"), stats("lo0", "unknown"), stats("en1", "down"), stats("vnet0", "up")],
      interfaces: [
        { iface: "en0", speed: 1000 },
        { iface: "en1", speed: null as unknown as number },
        { iface: "lo0", speed: -1 },
      ],
      connections: [...states.map((state) => ({ protocol: "tcp4", state })), { protocol: "udp4", state: "LISTEN" }],
    },
    config,
  );
  assert.deepEqual(undeclared(networkMonitor, { samples }), []);
  const of = (metric: string) =>
    samples.filter((s) => s.metric === metric).map((s) => [Object.values(s.labels ?? {})[0], s.value]);
  assert.deepEqual(of("network_up"), [
    ["en0", 1],
    ["lo0", 1],
    ["en1", 0],
  ]);
  assert.deepEqual(of("network_speed_bytes"), [["en0", 125e6]]);
  assert.deepEqual(of("network_receive_bytes_total")[0], ["en0", 1]);
  assert.deepEqual(of("network_receive_drop_total")[0], ["en0", 2]);
  assert.deepEqual(of("network_receive_errors_total")[0], ["en0", 3]);
  assert.deepEqual(of("network_transmit_bytes_total")[0], ["en0", 4]);
  assert.deepEqual(of("network_transmit_drop_total")[0], ["en0", 5]);
  assert.deepEqual(of("network_transmit_errors_total")[0], ["en0", 6]);
  const counted = of("tcp_connections").filter(([, value]) => value !== 0);
  assert.deepEqual(counted, [
    ["established", 2],
    ["fin_wait1", 1],
    ["fin_wait2", 1],
    ["time_wait", 1],
    ["listen", 2],
  ]);
});

test("counts no connections where the configuration says so", () => {
  const answers = { counters: [stats("en0", "up")], interfaces: [], connections: undefined };
  assert.ok(fromLibrary(answers, config).every(({ metric }) => metric !== "tcp_connections"));
});
