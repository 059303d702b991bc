// On a real upsd with NUT's own simulator; answers of apcupsd, one captured and one written by hand, are framed by a server of
// the test's own.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { parseApcupsd, unframe } from "../../../src/plugins/ups/apcupsd.ts";
import { parseNut } from "../../../src/plugins/ups/nut.ts";
import { upsMonitor } from "../../../src/plugins/ups_monitor.ts";
import { collect, endsWhenAborted, fails } from "../../support/collect.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { startNut } from "../../support/servers/nut.ts";
import { freePort } from "../../support/servers/port.ts";
import { withoutServer } from "../../support/servers/service.ts";

describe("NUT", { skip: withoutServer("upsd") || withoutServer("dummy-ups") }, () => {
  const folder = temporaryFolder();
  let server: Awaited<ReturnType<typeof startNut>>;
  before(async () => {
    server = await startNut(folder, {
      rack: [
        "ups.status: OB LB DISCHRG",
        "battery.charge: 12",
        "battery.runtime: 240",
        "input.voltage: 0.0",
        "ups.load: 37",
        "ups.realpower: 180",
        "ups.mfr: EATON",
        "ups.model: 5P-850",
        "ups.firmware: 01.14",
        "output.current: 1.3",
      ],
      desk: ["ups.status: OL CHRG", "battery.charge: 97", "input.voltage: 230.4", "input.frequency: 50.0"],
    });
  });
  after(async () => {
    await server.stop();
    folder[Symbol.dispose]();
  });
  const read = (more: object = {}) => collect(upsMonitor, { host: "127.0.0.1", port: server.port, ...more });

  it("reads every UPS of a server", async () => {
    // upsd answers before it has heard its drivers out.
    const harvest = await eventually(async () => {
      const first = await read();
      assert.deepEqual(first.by("ups_up", "ups"), { rack: 1, desk: 1 });
      return first;
    });
    assert.deepEqual(harvest.by("ups_battery_charge_ratio", "ups"), { rack: 0.12, desk: 0.97 });
    const shown = (ups: string, flag: string) => harvest.value("ups_status", { ups, flag });
    assert.deepEqual(
      ["online", "on_battery", "low_battery"].map((flag) => shown("rack", flag)),
      [0, 1, 1],
    );
    assert.deepEqual(
      ["online", "on_battery", "charging"].map((flag) => shown("desk", flag)),
      [1, 0, 1],
    );
    assert.equal(harvest.value("ups_load_ratio", { ups: "rack" }), 0.37);
    assert.equal(harvest.value("ups_battery_runtime_seconds", { ups: "rack" }), 240);
    assert.equal(harvest.value("ups_input_volts", { ups: "desk" }), 230.4);
    assert.equal(harvest.value("ups_info", { ups: "rack", manufacturer: "EATON", model: "5P-850" }), 1);
  });

  it("reads those that are named, and says which are not there", async () => {
    const harvest = await read({ ups: ["desk", "attic"] });
    assert.deepEqual(harvest.by("ups_up", "ups"), { desk: 1 });
    assert.match(harvest.rejected[0]?.detail ?? "", /no UPS attic/);
    await fails(
      upsMonitor,
      { host: "127.0.0.1", port: server.port, ups: ["attic"] },
      "bad_data",
      /it has rack, desk|it has desk, rack/,
    );
  });

  it("says that a UPS is heard of no more when its driver is gone", async () => {
    await server.stopDriver("desk");
    await eventually(async () => assert.deepEqual((await read()).by("ups_up", "ups"), { rack: 1, desk: 0 }));
  });
});

it("says where nothing listens", async () => {
  const port = await freePort();
  await fails(upsMonitor, { port }, "unreachable", /^NUT at 127\.0\.0\.1:\d+: nothing listens/);
  await fails(upsMonitor, { port, server: "apcupsd" }, "unreachable", /^apcupsd at/);
});

it("ends when it is aborted while a server is silent", () =>
  endsWhenAborted(upsMonitor, (port) => ({ host: "127.0.0.1", port })));

/** In the form of apcupsd 3.14.14, with the values of a small Back-UPS; written by hand. */
const APC = `APC      : 001,034,0854
DATE     : 2022-11-14 10:13:25 +0100
HOSTNAME : rack
VERSION  : 3.14.14 (31 May 2016) debian
UPSNAME  : backup
CABLE    : USB Cable
DRIVER   : USB UPS Driver
UPSMODE  : Stand Alone
STARTTIME: 2022-11-01 08:00:01 +0100
MODEL    : Back-UPS CS 650
STATUS   : TRIM ONLINE
LINEV    : 234.0 Volts
LOADPCT  : 14.0 Percent
BCHARGE  : 100.0 Percent
TIMELEFT : 36.3 Minutes
MBATTCHG : 5 Percent
ITEMP    : 29.2 C
BATTV    : 13.5 Volts
LINEFREQ : 50.0 Hz
NUMXFERS : 2
TONBATT  : 0 Seconds
NOMPOWER : 400 Watts
FIRMWARE : 817.v7.I USB FW:v7
END APC  : 2022-11-14 10:13:30 +0100`;

/** As answered by apcupsd 3.14.14 of Debian 12, whose UPS was a simulated network card that tells little. */
const CAPTURED = `APC      : 001,021,0507
DATE     : 2026-11-22 15:46:29 +0000  
HOSTNAME : vm
VERSION  : 3.14.14 (31 May 2016) debian
UPSNAME  : rack
CABLE    : Ethernet Link
DRIVER   : SNMP UPS Driver
UPSMODE  : Stand Alone
STARTTIME: 2026-11-22 15:46:24 +0000  
MODEL    : Smart-UPS 1500
STATUS   : ONLINE 
TIMELEFT : 26.0 Minutes
MBATTCHG : 10 Percent
MINTIMEL : 5 Minutes
MAXTIME  : 0 Seconds
NUMXFERS : 0
TONBATT  : 0 Seconds
CUMONBATT: 0 Seconds
XOFFBATT : N/A
STATFLAG : 0x05000008
FIRMWARE : 653.18.I
END APC  : 2026-11-22 15:46:30 +0000  `;

const framed = (text: string): Buffer => {
  const parts = text.split("\n").map((line) => Buffer.from(`${line}\n`));
  return Buffer.concat([
    ...parts.flatMap((part) => [Buffer.from([part.length >> 8, part.length & 255]), part]),
    Buffer.alloc(2),
  ]);
};

async function againstApcupsd(answer: Buffer, check: (config: object) => Promise<void>): Promise<void> {
  const server = createServer((peer) => {
    peer
      .on("error", () => undefined)
      .once("data", (asked) => {
        assert.deepEqual(asked, Buffer.from("\0\x06status"));
        // In two pieces, cut within a line.
        peer.write(answer.subarray(0, 50));
        setTimeout(() => peer.write(answer.subarray(50)), 5);
        setTimeout(() => peer.end(), 200);
      });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    await check({ server: "apcupsd", host: "127.0.0.1", port: (server.address() as AddressInfo).port });
  } finally {
    server.close();
  }
}

it("reads apcupsd", () =>
  againstApcupsd(framed(APC), async (config) => {
    const harvest = await collect(upsMonitor, config);
    const ups = "backup";
    assert.equal(harvest.value("ups_battery_runtime_seconds", { ups }), 2178);
    assert.equal(harvest.value("ups_load_ratio", { ups }), 0.14);
    assert.equal(harvest.value("ups_transfers_total", { ups }), 2);
    assert.equal(harvest.value("ups_status", { ups, flag: "trimming" }), 1);
    assert.equal(harvest.value("ups_status", { ups, flag: "on_battery" }), 0);
    assert.equal(harvest.value("ups_info", { ups, model: "Back-UPS CS 650", firmware: "817.v7.I USB FW:v7" }), 1);
  }));

it("reads what apcupsd answered, and makes nothing up", () =>
  againstApcupsd(framed(CAPTURED), async (config) => {
    const harvest = await collect(upsMonitor, config);
    const ups = "rack";
    assert.equal(harvest.value("ups_up", { ups }), 1);
    assert.equal(harvest.value("ups_battery_runtime_seconds", { ups }), 26 * 60);
    assert.equal(harvest.value("ups_time_on_battery_seconds", { ups }), 0);
    assert.equal(harvest.value("ups_status", { ups, flag: "online" }), 1);
    assert.equal(harvest.value("ups_info", { ups, model: "Smart-UPS 1500", firmware: "653.18.I" }), 1);
    const told = ["ups_up", "ups_status", "ups_info", "ups_battery_runtime_seconds", "ups_time_on_battery_seconds"];
    assert.deepEqual([...harvest.metrics].sort(), [...told, "ups_transfers_total"].sort());
  }));

it("says what is no apcupsd, and that a UPS lost its cable", async () => {
  await againstApcupsd(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"), (config) =>
    fails(upsMonitor, config, "bad_data", /does not speak the protocol of apcupsd/),
  );
  const lost = parseApcupsd(APC.replace("TRIM ONLINE", "COMMLOST").split("\n"));
  assert.deepEqual(lost, [{ metric: "ups_up", value: 0, labels: { ups: "backup" } }]);
});

it("reads what is quoted", () => {
  const samples = parseNut(['VAR x ups.model "5P \\"850\\""', 'VAR x ups.status "OL"', 'VAR y ups.status "OB"'], ["x"]);
  assert.equal(samples.find(({ metric }) => metric === "ups_info")?.labels?.["model"], '5P "850"');
});

it("reads anything without throwing", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.uint8Array(), (lines, bytes) => {
      parseApcupsd(lines);
      parseNut(lines, ["x"]);
      parseNut(
        lines.map((line) => `VAR x ${line}`),
        ["x"],
      );
      unframe(Buffer.from(bytes));
    }),
  );
});
