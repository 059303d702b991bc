/** The direction of the code (docs/architecture.md): model is a leaf, siblings never import each other, each package has one owner. */
const owner = (name, packages, folders) => ({
  name: `owner-${name}`,
  comment: `${packages} is used in ${folders} only`,
  severity: "error",
  from: { path: "^src/", pathNot: `^src/(${folders})` },
  to: { path: `node_modules/(${packages})/` },
});
const siblings = ["schedule", "collect", "process", "health", "buffer", "store", "expose", "events"];
module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "model-is-a-leaf",
      severity: "error",
      from: { path: "^src/model/" },
      to: { path: "^src/", pathNot: "^src/model/" },
    },
    {
      name: "model-does-no-io",
      severity: "error",
      from: { path: "^src/model/" },
      to: { dependencyTypes: ["core"] },
    },
    ...siblings.map((folder) => ({
      name: `no-sideways-from-${folder}`,
      severity: "error",
      from: { path: `^src/${folder}/` },
      to: { path: "^src/", pathNot: `^src/(${folder}|model)/` },
    })),
    {
      name: "plugins-know-only-the-model",
      comment: "and their own parts: src/plugins/<folder>/",
      severity: "error",
      from: { path: "^src/plugins/", pathNot: "registry[.]gen[.]ts$" },
      to: { path: "^src/", pathNot: "^src/(model|plugins/[^/]+)/" },
    },
    {
      name: "plugins-touch-no-infrastructure",
      severity: "error",
      from: { path: "^src/plugins/" },
      to: { path: "node_modules/(pg|kysely|express|prom-client|pino|commander|yaml)/" },
    },
    {
      name: "http-does-not-reach-past-the-application",
      severity: "error",
      from: { path: "^src/http/" },
      to: { path: "^src/(main|cli|generate|plugins|config|collect|schedule)" },
    },
    {
      name: "serve-never-imports-generate",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/generate/" },
      to: { path: "^src/generate/" },
    },
    {
      name: "artefacts-are-read-only",
      comment: "the validator knows the reader of YAML and nothing of gleaner's work",
      severity: "error",
      from: { path: "^src/artefacts/" },
      to: { path: "^src/", pathNot: "^src/(artefacts|config|model)/" },
    },
    owner("undici", "undici", "collect/"),
    owner("cockatiel", "cockatiel", "collect/|health/|store/"),
    owner("p-limit", "p-limit", "collect/"),
    owner("express", "express", "http/"),
    owner("database", "pg|pg-copy-streams|kysely", "store/"),
    owner("prom-client", "prom-client", "expose/"),
    owner("opentelemetry", "@opentelemetry/[^/]+", "expose/"),
    owner("pino", "pino", "log[.]ts"),
    owner("commander", "commander", "cli[.]ts"),
    owner("yaml", "yaml", "config/|generate/"),
    owner("node-cron", "node-cron", "schedule/"),
    owner("systeminformation", "systeminformation", "plugins/"),
    owner("grafana-sdk", "@grafana/grafana-foundation-sdk", "generate/"),
    owner("zod", "zod", "artefacts/|config/|plugins/|model/|generate/"),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      conditionNames: ["import", "require", "node", "default", "types"],
      extensions: [".ts", ".js", ".json"],
    },
  },
};
