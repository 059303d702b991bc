import { glob, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Plugin } from "../model/plugin.ts";
import { code, table } from "./markdown.ts";

/** A file of a plugin's tests. */
export interface TestFile {
  readonly path: string;
  readonly text: string;
}

/** How a plugin is tested, as its tests themselves say. */
export interface Tested {
  /** Programs of real servers that they start. */
  readonly servers: readonly string[];
  /** What of the machine that runs the tests they ask: itself, or a program of it. */
  readonly host: readonly string[];
  /** Whether they are answered by servers of their own: odd answers, silence, what no package has. */
  readonly hasOwnServer: boolean;
  /** Folders with recorded answers. */
  readonly cases: number;
}

/** Programs that help tests, and are nothing that is collected from. */
const MEANS: ReadonlySet<string> = new Set(["openssl", "promtool"]);

/** Tests on a real server skip without its program, and fail when they never start it: `skip: withoutServer("redis-server")`. */
const SERVER = /\bwithoutServer\("([\w-]+)"\)/g;
const POSTGRES = /\bwhyNoPostgres\(\)/;
const PROGRAM = /\bwithoutProgram\("([\w-]+)"\)/g;
const OWN_SERVER = /\b(createServer|createSocket|answering|serve[A-Z]\w*|startKit|startSim)\(/;

/** The programs of servers that tests are for. */
const serversOf = (text: string): string[] => [
  ...[...text.matchAll(SERVER)].map(([, program = ""]) => program),
  ...(POSTGRES.test(text) ? ["postgres"] : []),
];

const sorted = (names: readonly string[]) => [...new Set(names)].sort();

/** Reads out of a plugin's test files how it is tested. The contract test runs plugins that need no configuration on this machine. */
export function testedBy(
  { enabledByDefault }: Pick<Plugin, "enabledByDefault">,
  files: readonly TestFile[],
  cases: number,
): Tested {
  const programs = files.flatMap(({ text }) => [...text.matchAll(PROGRAM)].map(([, program = ""]) => program));
  return {
    servers: sorted(files.flatMap(({ text }) => serversOf(text))),
    host: [...(enabledByDefault ? ["itself"] : []), ...sorted(programs.filter((name) => !MEANS.has(name))).map(code)],
    hasOwnServer: files.some(({ text }) => OWN_SERVER.test(text)),
    cases,
  };
}

/** The test files of each plugin, and how many cases it has. @param folder test/plugins */
export async function readTests(
  folder: string,
  plugins: readonly Plugin[],
): Promise<ReadonlyMap<string, readonly [readonly TestFile[], number]>> {
  const all = async (pattern: string) => {
    const paths: string[] = [];
    for await (const path of glob(pattern, { cwd: folder })) paths.push(path);
    return paths.sort();
  };
  const read = async (path: string) => ({ path, text: await readFile(join(folder, path), "utf8") });
  return new Map(
    await Promise.all(
      plugins.map(async ({ id }) => {
        const files = await Promise.all((await all(`${id}/**/*.test.ts`)).map(read));
        return [id, [files, (await all(`${id}/cases/*/config.yaml`)).length]] as const;
      }),
    ),
  );
}

/** A section of docs/plugins.md: each plugin, and how it is tested. */
export async function testedSection(plugins: readonly Plugin[], folder: string): Promise<string[]> {
  const tests = await readTests(folder, plugins);
  const rows = plugins.map((plugin) => {
    const [files = [], cases = 0] = tests.get(plugin.id) ?? [];
    const { servers, host, hasOwnServer, cases: recorded } = testedBy(plugin, files, cases);
    const own = hasOwnServer ? "yes" : "";
    return [
      code(plugin.id),
      servers.map(code).join(", "),
      host.join(", "),
      own,
      recorded > 0 ? String(recorded) : "",
      files.map(({ path }) => `[${basename(path, ".test.ts")}](../test/plugins/${path})`).join(", "),
    ];
  });
  return [
    "## How they are tested",
    "",
    "Real servers are those of Debian 12, each started by the tests in a folder and on a port of its own; the continuous",
    "integration installs them all and lets no test be skipped. This machine is the one that the tests run on. Servers of the",
    "tests' own answer what real ones cannot be made to, and what is in no package. Recorded are folders with answers and what",
    "must come of them. On top of that, the contract test holds every plugin to the same rules.",
    "",
    ...table(["plugin", "real servers", "this machine", "servers of the tests' own", "recorded cases", "tests"], rows),
  ];
}
