import type { Overrides } from "./environment.ts";
import { formatPath, type Path, pathKey } from "./problem.ts";
import { getIn, type Origin, setIn } from "./validate.ts";
import type { Source } from "./yaml.ts";

/** Settings compared with each other: a problem with the one is shown at the other where only that is written down. */
const PARTNERS: Readonly<Record<string, string>> = { initial_backoff: "max_backoff" };

/** Puts the environment over a file: the merged values, and where each came from. */
export function overlay(source: Source, { values }: Overrides): { readonly raw: unknown; readonly origin: Origin } {
  const raw: unknown = values.reduce(put, structuredClone(source.value ?? {}));
  return { raw, origin: originOf(source, new Map(values.map(({ path, name }) => [pathKey(path), name]))) };
}

function put(root: unknown, { path, value, name }: Overrides["values"][number]): unknown {
  path.forEach((key, depth) => {
    const parents = path.slice(0, depth);
    if (depth > 0 && (getIn(root, parents) ?? null) === null) setIn(root, parents, typeof key === "number" ? [] : {});
  });
  if (name === "DATABASE_URL" && typeof getIn(root, ["store"]) === "object")
    setIn(root, ["store", "url_file"], undefined);
  return setIn(root, path, value);
}

/** Keeps places and paths only, nothing that was configured: this outlives the loading. */
export function originOf(
  { place, has, interpolated, reported }: Source,
  variables: ReadonlyMap<string, string>,
): Origin {
  const variableAt = (path: Path): string | undefined => {
    const lengths = path.map((_, index) => path.length - index);
    return lengths.map((length) => variables.get(pathKey(path.slice(0, length)))).find((name) => name !== undefined);
  };
  const written = (path: Path) => has(path) || variableAt(path) !== undefined;
  return {
    label: (path, part) => {
      const partner = [...path.slice(0, -1), PARTNERS[String(path.at(-1))] ?? ""];
      const shown = !written(path) && written(partner) ? partner : path;
      return variableAt(shown) ?? `${place(shown, part)} ${formatPath(shown)}`.trimEnd();
    },
    fromVariable: (path) => interpolated(path) || variableAt(path) !== undefined,
    reported,
  };
}
