import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { addressOf, connectionError } from "./client/errors.ts";
import { host, port } from "./client/fields.ts";
import { readApcupsd } from "./ups/apcupsd.ts";
import { MAX_UPS, METRICS } from "./ups/metrics.ts";
import { readNut } from "./ups/nut.ts";

const upsName = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9_.-]+$/, { error: "expected the name of a UPS" });

const config = z.strictObject({
  server: z.enum(["nut", "apcupsd"]).default("nut").describe("What speaks to the UPS: Network UPS Tools or apcupsd."),
  host: host.default("127.0.0.1").describe("Host of upsd, or of apcupsd's network information server."),
  port: port.optional().describe("Its port; 3493 for NUT and 3551 for apcupsd unless given."),
  ups: z.array(upsName).max(MAX_UPS).default([]).describe("UPSes of a NUT server to read; all where it is empty."),
});

/** Mains, battery, load and alarms of UPSes, from NUT or apcupsd. */
export const upsMonitor = definePlugin({
  id: "ups_monitor",
  title: "UPS",
  summary: "Mains, battery, load and alarms of uninterruptible power supplies, from NUT or apcupsd.",
  category: "power",
  version: "1.0.0",
  tags: ["ups", "power", "battery", "nut", "apcupsd"],
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    ups: {
      summary: "Reads the state of every UPS of the server.",
      every: seconds(30),
      async collect({ config }, { signal }) {
        const isNut = config.server === "nut";
        const place = { host: config.host, port: config.port ?? (isNut ? 3493 : 3551) };
        try {
          return await (isNut ? readNut(place, config.ups, signal) : readApcupsd(place, signal));
        } catch (error) {
          throw connectionError(error, `${isNut ? "NUT" : "apcupsd"} at ${addressOf(place.host, place.port)}`);
        }
      },
    },
  },
});
