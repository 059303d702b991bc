import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { it } from "node:test";
import { ROOT, text } from "./files.ts";

/** Everything that a user copies or starts as it is. */
const SHIPPED = [
  ...["Dockerfile", "docker-compose.yml", ".env.example", "prometheus.yml", "*.example.yaml", "package.json"],
  ...["provisioning/**/*.{yaml,yml,sql}", "README.md", "CONTRIBUTING.md", "docs/**/*.md"],
];
/** `password: x`, `TOKEN=x`, `"secret": "x"`: a name that ends in one of these words, and what it is given on the same line. */
const GIVEN =
  /\w*(?:password|passwd|secret|secret_key|token)["'`]?[ \t]*(?!:')[:=][ \t]*["'`]?(?<value>[^\s"'`|,)]+)/gi;
/** Out of the environment, a file, or psql's own variable; a YAML alias; something left out; the kind of value that goes there. */
const HARMLESS = /^(\$|\(text|\/run\/secrets\/|secrets\/|:'|[*&][a-z]+$|…)/;
const KNOWN = /admin[/:]admin|changeme|change_me|postgres:postgres@|letmein|hunter2/i;

/** Passwords written out in a text. */
const passwordsIn = (content: string): string[] => [
  ...[...content.matchAll(GIVEN)].filter(({ groups }) => !HARMLESS.test(groups?.["value"] ?? "")).map(([all]) => all),
  ...(KNOWN.exec(content) ?? []),
];

const files = SHIPPED.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).sort();

it("looks at every file that is shipped", () => {
  for (const file of ["docker-compose.yml", ".env.example", "README.md", "gleaner.example.yaml"])
    assert.ok(files.includes(file), file);
});

it("finds a password where there is one", () => {
  for (const content of [
    "GF_ADMIN_PASSWORD: secret",
    'token="abc"',
    "POSTGRES_PASSWORD=postgres",
    "log in with admin/admin",
  ])
    assert.equal(passwordsIn(content).length, 1, content);
});

for (const file of files) it(`has no default password in ${file}`, () => assert.deepEqual(passwordsIn(text(file)), []));
