// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration look like these.
import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { CollectError } from "../model/run.ts";
import { host, name, port } from "./client/fields.ts";
import { METRICS } from "./snmp/metrics.ts";
import { readInterfaces, readSystem, readWanted } from "./snmp/read.ts";
import { type Access, withAgent } from "./snmp/session.ts";

const secret = z.string().min(8).max(255);
const oid = z
  .string()
  .max(256)
  .regex(/^1(\.(0|[1-9]\d{0,9})){2,60}$/, { error: "expected an OID in numbers, such as 1.3.6.1.2.1.1.3.0" });

const value = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,63}$/, { error: "expected a name in snake_case" })
    .describe("The label `name` of its series."),
  oid: oid.describe("What to read, in numbers: of a single value with its .0, of a table the column."),
  kind: z.enum(["gauge", "counter"]).default("gauge").describe("Whether it goes up and down, or only grows."),
  walk: z
    .boolean()
    .default(false)
    .describe("Read everything below the OID, as the column of a table; the label `index` is the rest."),
  scale: z.number().default(1).describe("What it is multiplied by: 0.1 for tenths of a degree."),
});

const config = z
  .strictObject({
    host: host.describe("The device.").meta({ alternative: "192.168.1.3" }),
    port: port.default(161).describe("Port of its agent."),
    version: z.enum(["1", "2c", "3"]).default("2c").describe("Version of SNMP."),
    community: z
      .string()
      .min(1)
      .max(255)
      .default("public")
      .describe("Community of versions 1 and 2c, as a password; best written ${NAME}, from the environment."),
    user: name.optional().describe("User of version 3.").meta({ alternative: "monitor" }),
    auth_protocol: z
      .enum(["md5", "sha", "sha224", "sha256", "sha384", "sha512"])
      .default("sha")
      .describe("How version 3 proves the user."),
    auth_password: secret
      .optional()
      .describe("Password that proves the user; unproven without it.")
      .meta({ alternative: "${SNMP_AUTH}" }),
    privacy_protocol: z.enum(["des", "aes", "aes256b", "aes256r"]).default("aes").describe("How version 3 encrypts."),
    privacy_password: secret
      .optional()
      .describe("Password that encrypts; nothing is encrypted without it.")
      .meta({ alternative: "${SNMP_PRIVACY}" }),
    interfaces: z.boolean().default(true).describe("Read traffic and errors of every interface (IF-MIB)."),
    values: z
      .array(value)
      .max(200)
      .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, { error: "a name is given twice" })
      .default([])
      .describe("Further values to read."),
    request_timeout_seconds: z
      .number()
      .min(0.05)
      .max(30)
      .default(2)
      .describe("How long one request may take, each of two times."),
  })
  .refine(({ version, user }) => version !== "3" || user !== undefined, {
    error: "version 3 needs a user",
    path: ["user"],
  })
  .refine(({ auth_password, privacy_password }) => privacy_password === undefined || auth_password !== undefined, {
    error: "what is encrypted must be proven, too: auth_password is needed",
    path: ["auth_password"],
  });
type Config = z.output<typeof config>;

function accessOf(config: Config): Access {
  const { auth_password, privacy_password } = config;
  return {
    host: config.host,
    port: config.port,
    version: config.version,
    community: config.community,
    user: config.user ?? "",
    auth: auth_password === undefined ? undefined : { protocol: config.auth_protocol, password: auth_password },
    privacy:
      privacy_password === undefined ? undefined : { protocol: config.privacy_protocol, password: privacy_password },
    timeoutMs: config.request_timeout_seconds * 1000,
  };
}

/** Interfaces and any values of a device that speaks SNMP. */
export const snmpMonitor = definePlugin({
  id: "snmp_monitor",
  title: "SNMP",
  summary: "Uptime, interfaces and any values of a device that speaks SNMP 1, 2c or 3.",
  category: "network",
  version: "1.0.0",
  tags: ["snmp", "switch", "router", "printer"],
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    device: {
      summary: "Reads the system group, the interfaces, and the configured values.",
      every: seconds(60),
      timeout: seconds(30),
      async collect({ config }, { signal }) {
        return withAgent(accessOf(config), signal, async (agent) => {
          const system = await readSystem(agent);
          const interfaces = config.interfaces ? await readInterfaces(agent) : [];
          const { samples, missing } = await readWanted(agent, config.values);
          const all = [...system, ...interfaces, ...samples];
          if (all.length === 0) throw new CollectError("bad_data", "the agent has none of what was asked for");
          const rejected = missing.map((name) => ({
            reason: "no_such_value",
            detail: `the agent has no number for ${name}`,
          }));
          return { samples: all, rejected };
        });
      },
    },
  },
});
