// On a real chronyd; what none sends comes from a datagram server.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { CollectError } from "../../../src/model/run.ts";
import { readAnswer } from "../../../src/plugins/ntp/packet.ts";
import { ntpMonitor } from "../../../src/plugins/ntp_monitor.ts";
import { collect, fails } from "../../support/collect.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { startChrony } from "../../support/servers/chrony.ts";
import { freePort } from "../../support/servers/port.ts";
import { withoutServer } from "../../support/servers/service.ts";

describe("chronyd", { skip: withoutServer("chronyd") }, () => {
  for (const [stratum, settings] of [
    [3, ["local stratum 3", "allow 127.0.0.0/8"]],
    [16, ["allow 127.0.0.0/8"]],
  ] as const)
    it(`of stratum ${stratum}`, async () => {
      using folder = temporaryFolder();
      const server = await startChrony(folder, settings);
      try {
        const harvest = await eventually(() => collect(ntpMonitor, { port: server.port }));
        // The same clock answers, so that the offset is what the way there and back differ by.
        assert.ok(Math.abs(harvest.value("ntp_offset_seconds")) < 0.05, `${harvest.value("ntp_offset_seconds")}`);
        assert.ok(harvest.value("ntp_round_trip_seconds") < 0.1);
        assert.equal(harvest.value("ntp_synchronized"), Number(stratum === 3));
        assert.equal(harvest.value("ntp_leap", { state: "unknown" }), Number(stratum === 16));
        assert.equal(harvest.value("ntp_stratum"), stratum);
        if (stratum === 3)
          assert.ok(Math.abs(harvest.value("ntp_reference_timestamp_seconds") - Date.now() / 1000) < 120);
      } finally {
        await server.stop();
      }
    });
});

describe("a server that answers otherwise", () => {
  const server = createSocket("udp4");
  let answer: (asked: Buffer) => Buffer = (asked) => asked;
  server.on("message", (asked, { port }) => server.send(answer(asked), port, "127.0.0.1"));
  before(async () => once(server.bind(0, "127.0.0.1"), "listening"));
  after(() => server.close());
  const config = () => ({ host: "127.0.0.1", port: server.address().port });

  /** An answer to `asked` with the time `seconds` from now, as a server of stratum 2 gives it. */
  const packet = (asked: Buffer, seconds: number): Buffer => {
    const made = Buffer.alloc(48);
    made.writeUInt8(0b00_100_100, 0);
    made.writeUInt8(2, 1);
    made.writeInt8(-20, 3);
    made.writeUInt32BE(65_536 / 4, 4);
    asked.copy(made, 24, 40, 48);
    const time = Date.now() / 1000 + seconds + 2_208_988_800;
    for (const at of [32, 40]) {
      made.writeUInt32BE(Math.floor(time) % 2 ** 32, at);
      made.writeUInt32BE(Math.floor((time % 1) * 2 ** 32), at + 4);
    }
    return made;
  };

  it("an hour ahead, and behind the end of the era in 2036", async () => {
    answer = (asked) => packet(asked, 3_600);
    const harvest = await collect(ntpMonitor, config());
    assert.ok(Math.abs(harvest.value("ntp_offset_seconds") - 3_600) < 0.1);
    assert.equal(harvest.value("ntp_root_delay_seconds"), 0.25);
    const era = 12 * 365 * 86_400;
    answer = (asked) => packet(asked, era);
    assert.ok(Math.abs((await collect(ntpMonitor, config())).value("ntp_offset_seconds") - era) < 0.1);
    answer = (asked) => packet(asked, -7);
    assert.ok(Math.abs((await collect(ntpMonitor, config())).value("ntp_absolute_offset_seconds") - 7) < 0.1);
  });

  it("with a kiss of death", async () => {
    answer = (asked) => {
      const made = packet(asked, 0);
      made.writeUInt8(0, 1);
      made.write("RATE", 12);
      return made;
    };
    await fails(ntpMonitor, config(), "unreachable", /asked too often \(RATE\)/);
  });

  it("to another question: it is not heard, and the run ends at once when it is aborted", async () => {
    answer = (asked) => {
      const made = packet(asked, 0);
      made.writeUInt8(made.readUInt8(24) ^ 1, 24);
      return made;
    };
    const stop = new AbortController();
    const reason = new CollectError("timeout", "over");
    const verdict = collect(ntpMonitor, config(), { signal: stop.signal }).catch((error: unknown) => error);
    await delay(50);
    stop.abort(reason);
    assert.equal(await Promise.race([verdict, delay(100, "late")]), reason);
  });
});

it("says that nobody listens", async () => {
  await fails(
    ntpMonitor,
    { port: await freePort() },
    "unreachable",
    /^the time server at 127\.0\.0\.1:\d+: nothing listens/,
  );
});

it("reads any packet without throwing but to say that it is refused", () => {
  const cookie = Buffer.alloc(8);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const made = Buffer.from(bytes);
      if (made.length >= 32) made.fill(0, 24, 32);
      try {
        for (const { value } of readAnswer(made, cookie, { sent: 1, received: 2 }) ?? [])
          assert.ok(Number.isFinite(value));
      } catch (error) {
        assert.ok(error instanceof CollectError);
      }
    }),
  );
});
