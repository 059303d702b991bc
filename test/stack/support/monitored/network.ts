import mqtt from "mqtt";
import { startChrony } from "../../../support/servers/chrony.ts";
import { startUnbound } from "../../../support/servers/dns.ts";
import { startMosquitto } from "../../../support/servers/mosquitto.ts";
import { startNats } from "../../../support/servers/nats.ts";
import { startNut } from "../../../support/servers/nut.ts";
import { startSnmpd } from "../../../support/servers/snmpd.ts";
import { documents, local, type Starter, target } from "./target.ts";

const dns: Starter = async (parts, folder) => {
  const server = await startUnbound(folder, ['local-data: "kit.test. A 192.0.2.9"']);
  parts.defer(() => server.stop());
  const queries = [{ name: "kit.test", expect: ["192.0.2.9"] }];
  const adguard = await documents(parts, "dns_monitor", "adguard-home");
  const login = { user: "admin", password: "secret of the case" };
  return {
    ...target("dns_monitor", {
      ...{ server: "127.0.0.1", port: server.port, queries, software: "unbound", control: server.control },
    }),
    ...target("dns_monitor", { software: "adguard", api_url: adguard, ...login }, "adguard"),
    ...target(
      "dns_monitor",
      {
        software: "pihole",
        api_url: await documents(parts, "dns_monitor", "pihole-6"),
        password: "an application password",
      },
      "pihole",
    ),
  };
};

/** A broker with somebody who says something every second. */
const broker: Starter = async (parts) => {
  const server = parts.use(await startMosquitto("allow_anonymous true"));
  const speaker = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.port}`);
  speaker.on("error", () => undefined);
  const timer = setInterval(() => speaker.publish("house/hall", '{"temperature":21.5}'), 1_000);
  parts.defer(() => {
    clearInterval(timer);
    speaker.end(true);
  });
  return target("mqtt_monitor", { ...local, port: server.port, topics: [{ topic: "house/+", field: "temperature" }] });
};

const nats: Starter = async (parts) => {
  const server = parts.use(await startNats("-js", "-sd", "store"));
  return target("nats_monitor", { url: `http://127.0.0.1:${server.port}` });
};

const time: Starter = async (parts, folder) => {
  const server = await startChrony(folder, ["local stratum 3", "allow 127.0.0.0/8"]);
  parts.defer(() => server.stop());
  return target("ntp_monitor", { ...local, port: server.port });
};

const agent: Starter = async (parts, folder) => {
  const server = await startSnmpd(folder, ["rocommunity public 127.0.0.1"]);
  parts.defer(() => server.stop());
  const values = [
    { name: "type", oid: "1.3.6.1.2.1.2.2.1.3", walk: true },
    { name: "octets", oid: "1.3.6.1.2.1.2.2.1.10", walk: true, kind: "counter" },
  ];
  return target("snmp_monitor", { ...local, port: server.port, values });
};

const ups: Starter = async (parts, folder) => {
  const battery = ["charge: 97", "runtime: 2400", "voltage: 13.6", "temperature: 25"].map((line) => `battery.${line}`);
  const mains = ["input.voltage: 230.4", "input.frequency: 50.0"];
  const output = ["voltage: 230.1", "current: 1.3", "frequency: 50.0"].map((line) => `output.${line}`);
  const itself = ["status: OL CHRG", "load: 23", "realpower: 180", "realpower.nominal: 600", "temperature: 31"];
  const made = ["mfr: EATON", "model: 5P-850", "firmware: 01.14", "serial: none"];
  const device = [...battery, ...mains, ...output, ...[...itself, ...made].map((line) => `ups.${line}`)];
  const server = await startNut(folder, { desk: device });
  parts.defer(() => server.stop());
  return target("ups_monitor", { ...local, port: server.port });
};

export const NETWORK: readonly Starter[] = [dns, broker, nats, time, agent, ups];
