import { X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { MAX_SECRET_BYTES, readText, UnreadableFile } from "./files.ts";
import { type KitSettings, kitsSchema } from "./kits-schema.ts";
import { originOf } from "./overlay.ts";
import { formatPath, type Path } from "./problem.ts";
import { validate } from "./validate.ts";
import type { Source } from "./yaml.ts";

/** A kit as configured, and where: `kits.yaml:3:5 kits[0]`. `ca` is what its `ca_file` holds. */
export type KitEntry = KitSettings & { readonly label: string; readonly ca?: string };

/**
 * Reads the list of kits out of a file; an empty file is no kits.
 * @param folder what the names of files in it are relative to
 */
export function readKits(
  source: Source,
  folder: string,
): { readonly kits: readonly KitEntry[]; readonly problems: readonly string[] } {
  const result = validate(kitsSchema, source.value ?? {}, originOf(source, new Map()));
  const kits = result.value?.kits ?? [];
  const pins = kits.map((kit) => readCertificates(kit, folder));
  return {
    kits: kits.map((kit, index) => ({
      ...kit,
      ...pins[index]?.found,
      label: `${source.place(["kits", index])} kits[${index}]`,
    })),
    problems: [
      ...source.problems,
      ...result.problems,
      ...pins.flatMap(({ problem }, index) => {
        const path = ["kits", index, "ca_file"];
        return problem === undefined ? [] : [`${source.place(path)} ${formatPath(path)}: ${problem}`];
      }),
      ...doubles(kits, "api_url", ({ api_url }) => normaliseUrl(api_url), source),
      ...doubles(kits, "id", ({ id }) => id, source),
    ],
  };
}

/** The certificates a kit is held to, if it is, or what is wrong with them. */
function readCertificates({ ca_file: file, api_url }: KitSettings, folder: string): Pin {
  if (file === undefined) return {};
  if (!api_url.toLowerCase().startsWith("https:")) return { problem: "expected an https api_url beside it" };
  try {
    const ca = readText(resolve(folder, file), MAX_SECRET_BYTES);
    new X509Certificate(ca);
    return { found: { ca } };
  } catch (error) {
    const why = error instanceof UnreadableFile ? error.message : "holds no certificate in PEM";
    return { problem: `the file ${file} ${why}` };
  }
}

interface Pin {
  readonly found?: { readonly ca: string };
  readonly problem?: string;
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
