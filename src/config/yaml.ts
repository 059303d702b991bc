import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from "yaml";
import { type Environment, interpolate } from "./interpolate.ts";
import { formatPath, type Path, pathKey } from "./problem.ts";
import { syntaxMessage } from "./yaml-messages.ts";

/** A configuration file as plain values, with the place of every one of them. The text itself is not kept. */
export interface Source {
  /** Plain objects, lists and scalars; null for an empty file. */
  readonly value: unknown;
  readonly problems: readonly string[];
  /** False when the text is not YAML, so that there are no values to judge. */
  readonly readable: boolean;
  /** `file:line:column` of a value (or of its key), or of the nearest thing above it that the file has. */
  place(path: Path, part?: "key" | "value"): string;
  has(path: Path): boolean;
  /** Whether a variable was put into this text, so that it may stand for a number. */
  interpolated(path: Path): boolean;
  /** Whether a problem with this very value was reported already. */
  reported(path: Path): boolean;
}

/** Deeper than any configuration; keeps hostile nesting from ending in a stack overflow. */
const MAX_DEPTH = 50;
/** Values that aliases may repeat in one file: nine lines of aliases of aliases would make a billion. */
const MAX_ALIASED = 20_000;

interface Walk {
  readonly file: string;
  readonly text: string;
  readonly env: Environment | undefined;
  /** What `*name` stands for at this point of the walk. The parser's own look-up reads the whole document each time. */
  readonly anchors: Map<string, unknown>;
  readonly lines: LineCounter;
  readonly places: Map<string, { readonly key: number; readonly value: number }>;
  readonly interpolated: Set<string>;
  readonly reported: Set<string>;
  readonly problems: string[];
  aliased: number;
}

/**
 * Reads YAML 1.2 text into values and places. Never throws: what is wrong is in `problems`.
 * @param file the name shown in problems
 * @param env what `${NAME}` in a text refers to; without it a dollar sign is only that
 */
export function readYaml(text: string, file: string, env?: Environment): Source {
  const lines = new LineCounter();
  const document = parse(text, lines);
  if (typeof document === "string") return unreadable(file, [`${file}:1:1: ${document}`]);
  const walk: Walk = {
    ...{ file, text, env, anchors: new Map(), lines, places: new Map(), interpolated: new Set(), reported: new Set() },
    problems: syntaxProblems(document, { file, lines }),
    aliased: 0,
  };
  if (walk.problems.length > 0) return unreadable(file, walk.problems);
  const value = convertChild(document.contents, [], walk, { depth: 0, aliased: false, within: [] });
  return sourceOf(walk, value);
}

/** A source with nothing in it: a file that is not there. */
export function emptySource(file: string): Source {
  return unreadable(file, []);
}

function parse(text: string, lines: LineCounter): Document | string {
  try {
    // Own messages, because the parser's quote the text; own check of keys, because the parser's is quadratic.
    return parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  } catch {
    // The parser recurses: text nested some thousand levels deep exhausts the stack.
    return "expected YAML; this cannot be parsed (is it nested too deeply?)";
  }
}

/** What the parser says, the first of each line: one missing bracket makes hundreds of complaints. */
function syntaxProblems({ errors, warnings }: Document, file: Pick<Walk, "file" | "lines">): string[] {
  const found = [...errors, ...warnings].map(({ pos, code }) => ({ offset: pos[0], code }));
  const firsts = new Map(found.map((error) => [file.lines.linePos(error.offset).line, error] as const).reverse());
  return [...firsts.values()].map(({ offset, code }) => `${at(file, offset)}: ${syntaxMessage(code)}`);
}

const unreadable = (file: string, problems: readonly string[]): Source => ({
  value: null,
  problems,
  readable: problems.length === 0,
  place: () => `${file}:1:1`,
  has: () => false,
  interpolated: () => false,
  reported: () => false,
});

function sourceOf(walk: Walk, value: unknown): Source {
  const { file, lines, places, interpolated, reported, problems } = walk;
  return {
    value,
    problems,
    readable: true,
    place: (path, part = "value") => {
      for (let length = path.length; length >= 0; length--) {
        const found = places.get(pathKey(path.slice(0, length)));
        if (found) return at({ file, lines }, found[part]);
      }
      return `${file}:1:1`;
    },
    has: (path) => places.has(pathKey(path)),
    interpolated: (path) => interpolated.has(pathKey(path)),
    reported: (path) => reported.has(pathKey(path)),
  };
}

function at({ file, lines }: Pick<Walk, "file" | "lines">, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${file}:${line}:${col}`;
}

interface Level {
  readonly depth: number;
  readonly aliased: boolean;
  /** The anchored values this one is in: an alias of one of them would never end. */
  readonly within: readonly unknown[];
}

function convert(node: unknown, path: Path, walk: Walk, level: Level): unknown {
  if (level.depth > MAX_DEPTH) return report(walk, path, `expected at most ${MAX_DEPTH} levels`);
  if (level.aliased && ++walk.aliased > MAX_ALIASED)
    // Said once; the walk then ends by itself because every further value is left out.
    return walk.aliased === MAX_ALIASED + 1
      ? report(walk, path, `expected aliases to repeat at most ${MAX_ALIASED} values`)
      : undefined;
  const below = { ...level, depth: level.depth + 1 };
  if (isAlias(node)) return convertAlias(node.source, path, walk, below);
  if (isNode(node) && node.anchor !== undefined) return convertAnchored(node, node.anchor, path, walk, below);
  return convertPlain(node, path, walk, below);
}

function convertPlain(node: unknown, path: Path, walk: Walk, below: Level): unknown {
  if (isMap(node)) return convertMap(node, path, walk, below);
  if (isSeq(node)) return node.items.map((item, index) => convertChild(item, [...path, index], walk, below));
  if (isScalar(node)) return typeof node.value === "string" ? convertText(node.value, path, walk) : node.value;
  return null;
}

function convertAlias(name: string, path: Path, walk: Walk, level: Level): unknown {
  const meant = walk.anchors.get(name);
  if (meant === undefined) return report(walk, path, syntaxMessage("BAD_ALIAS"));
  if (level.within.includes(meant)) return report(walk, path, "expected no alias of what the alias is part of");
  return convert(meant, path, walk, { ...level, aliased: true });
}

function convertAnchored(node: unknown, name: string, path: Path, walk: Walk, level: Level): unknown {
  if (!level.aliased) walk.anchors.set(name, node);
  return convertPlain(node, path, walk, { ...level, within: [...level.within, node] });
}

function convertChild(node: unknown, path: Path, walk: Walk, level: Level, keyOffset?: number): unknown {
  const offset = (isNode(node) ? node.range?.[0] : undefined) ?? keyOffset ?? 0;
  walk.places.set(pathKey(path), { key: keyOffset ?? offset, value: offset });
  return convert(node, path, walk, level);
}

function convertMap(map: YAMLMap, path: Path, walk: Walk, level: Level): Record<string, unknown> {
  const entries = new Map<string, unknown>();
  for (const pair of map.items) {
    const offset = (isNode(pair.key) ? pair.key.range?.[0] : undefined) ?? 0;
    const key = isScalar(pair.key) ? String(pair.key.value) : undefined;
    if (key === undefined || key === "__proto__")
      walk.problems.push(`${at(walk, offset)} ${formatPath(path)}: expected a plain word as key`.replace(" :", ":"));
    else if (entries.has(key)) {
      const first = at(walk, walk.places.get(pathKey([...path, key]))?.key ?? 0);
      walk.problems.push(`${at(walk, offset)} ${formatPath([...path, key])}: this key is given already at ${first}`);
    } else entries.set(key, convertChild(pair.value, [...path, key], walk, level, offset));
  }
  return Object.fromEntries(entries);
}

function convertText(text: string, path: Path, walk: Walk): string {
  if (walk.env === undefined) return text;
  const result = interpolate(text, walk.env);
  if (result.changed) walk.interpolated.add(pathKey(path));
  for (const name of result.missing) report(walk, path, `the environment variable ${name} is not set`, `\${${name}`);
  if (result.malformed) report(walk, path, `expected \${NAME} or \${NAME:-default} here; $$ is a dollar sign`, "${");
  return result.text;
}

/** Notes a problem at a value, or at `within` it, and marks it so that the schema does not complain again. */
function report(walk: Walk, path: Path, message: string, within?: string): undefined {
  const start = walk.places.get(pathKey(path))?.value ?? 0;
  const inside = within === undefined ? -1 : walk.text.indexOf(within, start);
  walk.reported.add(pathKey(path));
  walk.problems.push(`${at(walk, Math.max(start, inside))} ${formatPath(path)}: ${message}`.replace(" :", ":"));
}
