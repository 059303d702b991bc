import { z } from "zod";
import { type Document, type Finding, repeated } from "../document.ts";
import { expandedTexts } from "./interpolation.ts";

const texts = z.record(z.string(), z.string());

const datasource = z.strictObject({
  name: z.string().min(1),
  uid: z
    .string({ error: "missing, expected text: without it Grafana makes one up, and no panel can name it" })
    .regex(/^[\w-]{1,40}$/, { error: "expected 1 to 40 letters, digits, - and _" }),
  type: z.string().min(1),
  access: z.enum(["proxy", "direct"]),
  orgId: z.int().optional(),
  url: z.string().optional(),
  user: z.string().optional(),
  database: z.never({ error: "expected it under jsonData: Grafana 9.4 and 12 lose it here" }).optional(),
  basicAuth: z.boolean().optional(),
  basicAuthUser: z.string().optional(),
  withCredentials: z.boolean().optional(),
  isDefault: z.boolean().optional(),
  version: z.int().optional(),
  editable: z.boolean().optional(),
  jsonData: z.record(z.string(), z.unknown()).optional(),
  secureJsonData: texts.optional(),
});

const file = z.strictObject({
  apiVersion: z.literal(1),
  prune: z.boolean().optional(),
  datasources: z.array(datasource),
  deleteDatasources: z.array(z.strictObject({ name: z.string(), orgId: z.int().optional() })).optional(),
});

/** What jsonData may hold for the data sources that gleaner's dashboards read. */
const JSON_DATA: Readonly<Record<string, z.ZodObject>> = {
  prometheus: z.strictObject({
    httpMethod: z.enum(["GET", "POST"]).optional(),
    timeInterval: z.string().optional(),
    queryTimeout: z.string().optional(),
    prometheusType: z.enum(["Prometheus", "Cortex", "Mimir", "Thanos"]).optional(),
    prometheusVersion: z.string().optional(),
    cacheLevel: z.enum(["Low", "Medium", "High", "None"]).optional(),
    disableMetricsLookup: z.boolean().optional(),
    incrementalQuerying: z.boolean().optional(),
    incrementalQueryOverlapWindow: z.string().optional(),
    disableRecordingRules: z.boolean().optional(),
    manageAlerts: z.boolean().optional(),
    alertmanagerUid: z.string().optional(),
    customQueryParameters: z.string().optional(),
    exemplarTraceIdDestinations: z.array(z.unknown()).optional(),
  }),
  postgres: z.strictObject({
    database: z.string({ error: "missing, expected the name of the database" }).min(1),
    sslmode: z.enum(["disable", "require", "verify-ca", "verify-full"]).optional(),
    postgresVersion: z.number().optional(),
    timescaledb: z.boolean().optional(),
    maxOpenConns: z.int().optional(),
    maxIdleConns: z.int().optional(),
    maxIdleConnsAuto: z.boolean().optional(),
    connMaxLifetime: z.int().optional(),
    timeInterval: z.string().optional(),
    tlsAuth: z.boolean().optional(),
    tlsAuthWithCACert: z.boolean().optional(),
    tlsConfigurationMethod: z.enum(["file-path", "file-content"]).optional(),
    sslRootCertFile: z.string().optional(),
    sslCertFile: z.string().optional(),
    sslKeyFile: z.string().optional(),
  }),
  alertmanager: z.strictObject({
    implementation: z.enum(["prometheus", "cortex", "mimir"]).optional(),
    handleGrafanaManagedAlerts: z.boolean().optional(),
  }),
};
const ALIASES: Readonly<Record<string, string>> = { "grafana-postgresql-datasource": "postgres" };

/** What is known of the data sources of all files so far; `types` by uid. */
export interface Datasources {
  readonly types: Map<string, string>;
  readonly uids: Map<string, string>;
  readonly names: Map<string, string>;
}

/** Problems of a file in provisioning/grafana/datasources; notes in `all` what it provisions. */
export function checkDatasources(document: Document, all: Datasources): readonly string[] {
  const { value, problems } = document.validate(file, document.value);
  if (value === undefined) return problems;
  const inner = value.datasources.flatMap(({ type, jsonData }, index) => {
    const schema = JSON_DATA[ALIASES[type] ?? type];
    return schema ? document.validate(schema, jsonData ?? {}, ["datasources", index, "jsonData"]).problems : [];
  });
  const findings = value.datasources.flatMap(({ uid, name, type, secureJsonData, isDefault }, index): Finding[] => {
    const path = ["datasources", index];
    all.types.set(uid, type);
    const where = `${document.file}: ${name}`;
    return [
      ...repeated(all.uids, uid, { where, path: [...path, "uid"], what: "a uid" }),
      ...repeated(all.names, name, { where, path: [...path, "name"], what: "a name" }),
      ...(isDefault
        ? repeated(all.names, "\0default", { where, path: [...path, "isDefault"], what: "a default" })
        : []),
      ...literalSecrets(secureJsonData ?? {}, [...path, "secureJsonData"]),
    ];
  });
  const traps = expandedTexts(value.datasources, ["datasources"]);
  return [
    ...inner,
    ...findings.map((finding) => document.problem("datasource", finding)),
    ...traps.map((finding) => document.problem("interpolation", finding)),
  ];
}

/** A password in a file of the repository is everybody's. */
function literalSecrets(secrets: Readonly<Record<string, string>>, path: readonly PropertyKey[]): Finding[] {
  return Object.entries(secrets)
    .filter(([, text]) => !/\$(__(env|file|vault)\{|\{)/.test(text))
    .map(([key]) => ({
      path: [...path, key],
      message: `expected $__file{…}, $__env{…} or \${NAME}: a secret is not written down here`,
    }));
}
