// On a real snmpd, by all three versions.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { counterIn, numberIn } from "../../../src/plugins/snmp/read.ts";
import { snmpMonitor } from "../../../src/plugins/snmp_monitor.ts";
import { collect, fails } from "../../support/collect.ts";
import { temporaryFolder } from "../../support/folder.ts";
import type { TestServer } from "../../support/servers/dns.ts";
import { withoutServer } from "../../support/servers/service.ts";
import { startSnmpd } from "../../support/servers/snmpd.ts";

const COMMUNITY = "c0mmunity-of-the-test";
const [AUTH, PRIVACY] = ["auth-of-the-test", "privacy-of-the-test"];
const OWN = "1.3.6.1.4.1.8072.9999.9999";

describe("snmpd", { skip: withoutServer("snmpd") }, () => {
  const folder = temporaryFolder();
  let server: TestServer;
  before(async () => {
    server = await startSnmpd(folder, [
      `rocommunity ${COMMUNITY} 127.0.0.1`,
      `createUser tester SHA-256 ${AUTH} AES ${PRIVACY}`,
      "rouser tester priv",
      "sysName kit-of-the-test",
      `override ${OWN}.1.0 integer 425`,
      `override ${OWN}.2.0 octet_str "37.5"`,
    ]);
  });
  after(async () => {
    await server.stop();
    folder[Symbol.dispose]();
  });
  const base = () => ({ host: "127.0.0.1", port: server.port, request_timeout_seconds: 0.3 });
  const v3 = { version: "3", user: "tester", auth_protocol: "sha256", auth_password: AUTH, privacy_password: PRIVACY };
  const accesses = {
    "1": { version: "1", community: COMMUNITY },
    "2c": { version: "2c", community: COMMUNITY },
    "3": v3,
  };

  for (const [version, access] of Object.entries(accesses))
    it(`by version ${version}`, async () => {
      const values = [
        { name: "temperature", oid: `${OWN}.1.0`, scale: 0.1 },
        { name: "written", oid: `${OWN}.2.0` },
        { name: "nothing", oid: `${OWN}.3.0` },
        { name: "columns", oid: "1.3.6.1.2.1.2.2.1.1", walk: true },
      ];
      const harvest = await collect(snmpMonitor, { ...base(), ...access, values });
      assert.equal(harvest.value("snmp_info", { name: "kit-of-the-test" }), 1);
      const uptime = harvest.value("snmp_uptime_seconds");
      assert.ok(uptime >= 0 && uptime < 60, `${uptime}`);
      assert.equal(harvest.value("snmp_value", { name: "temperature", index: "" }), 42.5);
      assert.equal(harvest.value("snmp_value", { name: "written" }), 37.5);
      assert.equal(harvest.value("snmp_value", { name: "columns", index: "1" }), 1);
      assert.deepEqual(
        harvest.rejected.map(({ detail }) => detail),
        ["the agent has no number for nothing"],
      );
      // Of lo the kernel says the same; what comes between the two readings is little.
      const kernel = Number(/^\s*lo:\s*(\d+)/m.exec(readFileSync("/proc/net/dev", "utf8"))?.[1]);
      const told = harvest.value("snmp_interface_receive_bytes_total", { interface: "lo" });
      // snmpd reads the kernel every few seconds; version 1 has 32 bits for it.
      const expected = version === "1" ? kernel % 2 ** 32 : kernel;
      assert.ok(told <= expected && told > expected - 2e9, `${told} of ${expected}`);
      assert.equal(harvest.value("snmp_interface_up", { interface: "lo" }), 1);
    });

  it("says what a wrong community or password looks like, and neither of them", async () => {
    await fails(
      snmpMonitor,
      { ...base(), community: "n0t-that-one" },
      "timeout",
      /does not answer: .*is the community right/,
      "n0t-that-one",
    );
    const wrong = { ...base(), ...v3, auth_password: "another-password" };
    await fails(snmpMonitor, wrong, "bad_data", /refuses: .*check user and passwords/, "another-password", PRIVACY);
    const stranger = { ...base(), ...v3, user: "nobody" };
    await fails(snmpMonitor, stranger, "bad_data", /refuses: .*check user and passwords/, AUTH);
  });
});

it("ends at once when it is aborted while an agent is silent", async () => {
  const silent = createSocket("udp4");
  await once(silent.bind(0, "127.0.0.1"), "listening");
  const asked = once(silent, "message");
  const stop = new AbortController();
  const reason = new Error("over");
  const config = { host: "127.0.0.1", port: silent.address().port };
  const verdict = collect(snmpMonitor, config, { signal: stop.signal }).catch((error: unknown) => error);
  await asked;
  stop.abort(reason);
  assert.equal(await Promise.race([verdict, delay(100, "late")]), reason);
  silent.close();
});

it("needs what belongs together", () => {
  const problem = (config: object) => snmpMonitor.config.safeParse({ host: "h", ...config }).error?.issues[0]?.message;
  assert.match(String(problem({ version: "3" })), /needs a user/);
  assert.match(String(problem({ privacy_password: "12345678" })), /auth_password is needed/);
  assert.match(String(problem({ values: [{ name: "a", oid: "sysUpTime.0" }] })), /OID in numbers/);
});

it("reads numbers of every kind", () => {
  assert.equal(counterIn(Buffer.from([0x01, 0, 0, 0, 0])), 2 ** 32);
  assert.equal(counterIn(Buffer.alloc(0)), 0);
  assert.equal(numberIn(Buffer.from("no number")), undefined);
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      for (const read of [counterIn, numberIn]) assert.ok(Number.isFinite(read(Buffer.from(bytes)) ?? 0));
    }),
  );
});
