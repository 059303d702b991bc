import { VARIABLES } from "../config/environment.ts";
import { kitsSchema } from "../config/kits-schema.ts";
import { settingsSchema } from "../config/schema.ts";
import { type Field, fieldOf, rowsOf } from "./fields.ts";
import { code, fieldTable, GENERATED, plain, table } from "./markdown.ts";

const INTRODUCTION = `# Configuration

gleaner runs without any configuration. What it reads, each optional:

- \`gleaner.yaml\` in the working directory, or the file that \`--config\` or \`GLEANER_CONFIG\` names; \`gleaner.example.yaml\` has every setting.
- \`kits.yaml\` beside it, or the file that \`kits.file\` or \`KITS_CONFIG\` names: the field kits; \`kits.example.yaml\` is a start.
- The environment, which wins over both.

A file that is named must exist. \`gleaner check\` reports everything that is wrong, each as \`file:line:column path: what was expected\`.
Unknown and repeated keys are errors. Messages never repeat a configured value, because any value may be a secret.

- **Durations** are \`250ms\`, \`5s\`, \`2m\`, \`1h\`, \`7d\`, or a number of seconds.
- **Variables**: within any text \`\${NAME}\` is the environment variable, which must be set; \`\${NAME:-default}\` need not be; \`$$\` is a dollar sign. A variable set to nothing counts as unset.
- **Secrets** belong into variables or files of their own (\`token_file\`, \`url_file\`); paths are relative to the file that names them, those under a plugin's \`config\` are best absolute.
- **Order** for a plugin's job: the job's own setting, the target's, the scheduler's for intervals, the plugin's. For timeouts the plugin's comes before the scheduler's.`;

/** Variables that do more than override one setting. */
const OTHER_VARIABLES = [
  ["GLEANER_CONFIG", "", "The configuration file, relative to the working directory."],
  ["GLEANER_TOKEN", "`server.tokens`", "Adds a token named `env` that may scrape metrics and read the API."],
  ["GLEANER_TOKEN_FILE", "`server.tokens`", "The same, out of a file."],
  [
    "GLEANER_WEBHOOK_TOKEN",
    "`server.tokens`",
    "Adds a token named `webhook` that may report alerts (`POST /api/alerts/webhook`) and nothing else.",
  ],
  ["GLEANER_WEBHOOK_TOKEN_FILE", "`server.tokens`", "The same, out of a file."],
] as const;

/** docs/configuration.md: every setting of gleaner.yaml and kits.yaml, and every variable. */
export function configurationDoc(): string {
  const settings = fieldOf(settingsSchema);
  const kits = fieldOf(kitsSchema);
  return [
    GENERATED,
    INTRODUCTION,
    "",
    "## gleaner.yaml",
    ...sections(settings),
    "",
    "## kits.yaml",
    "",
    "A list of kits under the key `kits`. Numbers are seconds.",
    "",
    ...fieldTable(rowsOf(kits)),
    "",
    "## Environment",
    "",
    ...table(["variable", "overrides", "description"], variables(settings)),
    "",
  ].join("\n");
}

/** A table for the plain settings, then one for each map of settings. */
function sections(settings: Field): string[] {
  const entries = Object.entries(settings.properties ?? {});
  const isMap = (field: Field) => rowsOf({ properties: { x: field } }).length > 1;
  const single = Object.fromEntries(entries.filter(([, field]) => !isMap(field)));
  return [
    "",
    ...fieldTable(rowsOf({ properties: single })),
    ...entries
      .filter(([, field]) => isMap(field))
      .flatMap(([key, field]) => [
        "",
        `### ${key}`,
        "",
        plain(field.description ?? ""),
        "",
        ...fieldTable(rowsOf({ properties: { [key]: field } })),
      ]),
  ];
}

function variables(settings: Field): string[][] {
  const overrides = VARIABLES.map(({ name, path }) => {
    const field = path.reduce<Field | undefined>((at, key) => at?.properties?.[key], settings);
    return [
      code(name),
      code(path.join(".")),
      plain(field?.description ?? "").replace("this file", "the working directory"),
    ];
  });
  return [...overrides, ...OTHER_VARIABLES.map(([name, overridden, text]) => [code(name), overridden, text])];
}
