import { randomBytes } from "node:crypto";
import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { CollectError } from "../model/run.ts";
import { askOverUdp } from "./client/datagram.ts";
import { addressOf, connectionError } from "./client/errors.ts";
import { host, port } from "./client/fields.ts";
import { METRICS } from "./ntp/metrics.ts";
import { question, readAnswer } from "./ntp/packet.ts";

const config = z.strictObject({
  host: host.default("127.0.0.1").describe("Time server to ask; by default that of this host."),
  port: port.default(123).describe("Its port."),
});

/** How far the clock here is from a time server's, and what the server thinks of its own. */
export const ntpMonitor = definePlugin({
  id: "ntp_monitor",
  title: "Time (NTP)",
  summary: "How far the clock here is from a time server's, and what the server thinks of its own.",
  category: "system",
  version: "1.0.0",
  tags: ["ntp", "time", "clock", "chrony"],
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    time: {
      summary: "Asks the server for the time, once.",
      // Public servers ask not to be asked more often.
      every: seconds(64),
      timeout: seconds(5),
      async collect({ config }, { signal }) {
        signal.throwIfAborted();
        const cookie = randomBytes(8);
        // The steady clock between the two: a step of the wall clock meanwhile must not look like an offset.
        const sent = Date.now() / 1000;
        const begun = performance.now();
        const read = (packet: Buffer) =>
          readAnswer(packet, cookie, { sent, received: sent + (performance.now() - begun) / 1000 });
        try {
          return { samples: await askOverUdp(config, question(cookie), read, signal) };
        } catch (error) {
          if (error instanceof CollectError) throw error;
          throw connectionError(error, `the time server at ${addressOf(config.host, config.port)}`);
        }
      },
    },
  },
});
