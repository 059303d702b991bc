import type { Sample } from "../../model/sample.ts";
import { fieldAt, numberOf, sample, textAt } from "../client/mapping.ts";
import type { Metric } from "./metrics.ts";

const list = (value: unknown, path: string): readonly unknown[] => {
  const found = fieldAt(value, path);
  return Array.isArray(found) ? found : [];
};

const sum = (entries: readonly unknown[], size: (entry: unknown) => number | undefined): number =>
  entries.reduce<number>((all, entry) => all + Math.max(0, size(entry) ?? 0), 0);

const at = (path: string) => (entry: unknown) => numberOf(fieldAt(entry, path));

/** What `GET /system/df` says: space by what it is used for, and what of it nothing uses. */
export function diskSamples(value: unknown): readonly Sample<Metric>[] {
  const images = list(value, "Images");
  const containers = list(value, "Containers");
  const volumes = list(value, "Volumes");
  const cache = list(value, "BuildCache");
  const own = (image: unknown) => (at("Size")(image) ?? 0) - Math.max(0, at("SharedSize")(image) ?? 0);
  const kinds: readonly (readonly [string, number, number])[] = [
    [
      "images",
      at("LayersSize")(value) ?? sum(images, at("Size")),
      sum(
        images.filter((image) => at("Containers")(image) === 0),
        own,
      ),
    ],
    [
      "containers",
      sum(containers, at("SizeRw")),
      sum(
        containers.filter((one) => !["running", "paused"].includes(textAt(one, "State"))),
        at("SizeRw"),
      ),
    ],
    [
      "volumes",
      sum(volumes, at("UsageData.Size")),
      sum(
        volumes.filter((one) => at("UsageData.RefCount")(one) === 0),
        at("UsageData.Size"),
      ),
    ],
    [
      "build_cache",
      sum(cache, at("Size")),
      sum(
        cache.filter((one) => fieldAt(one, "InUse") === false),
        at("Size"),
      ),
    ],
  ];
  return kinds.flatMap(([kind, used, free]) => [
    sample("docker_disk_bytes" as const, used, { kind }),
    sample("docker_disk_reclaimable_bytes" as const, free, { kind }),
  ]);
}
