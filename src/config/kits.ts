import { type KitSettings, kitsSchema } from "./kits-schema.ts";
import { originOf } from "./overlay.ts";
import { formatPath, type Path } from "./problem.ts";
import { validate } from "./validate.ts";
import type { Source } from "./yaml.ts";

/** A kit as configured, and where: `kits.yaml:3:5 kits[0]`. */
export type KitEntry = KitSettings & { readonly label: string };

/** Reads the list of kits out of a file; an empty file is no kits. */
export function readKits(source: Source): { readonly kits: readonly KitEntry[]; readonly problems: readonly string[] } {
  const result = validate(kitsSchema, source.value ?? {}, originOf(source, new Map()));
  const kits = result.value?.kits ?? [];
  return {
    kits: kits.map((kit, index) => ({ ...kit, label: `${source.place(["kits", index])} kits[${index}]` })),
    problems: [
      ...source.problems,
      ...result.problems,
      ...doubles(kits, "api_url", ({ api_url }) => normaliseUrl(api_url), source),
      ...doubles(kits, "id", ({ id }) => id, source),
    ],
  };
}

/** One address written in two ways is one address: case of the host, default port, trailing slashes. */
export function normaliseUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname.replace(/\/+$/, "")}`;
}

function doubles(
  kits: readonly KitSettings[],
  key: "api_url" | "id",
  identity: (kit: KitSettings) => string | undefined,
  source: Source,
): string[] {
  const seen = new Map<string, Path>();
  return kits.flatMap((kit, index) => {
    const [value, path] = [identity(kit), ["kits", index, key]];
    const first = value === undefined ? undefined : seen.get(value);
    if (value !== undefined && !first) seen.set(value, path);
    if (!first) return [];
    const what = key === "id" ? "an id" : "a URL";
    return [
      `${source.place(path)} ${formatPath(path)}: expected ${what} of its own, ${source.place(first)} has the same`,
    ];
  });
}
