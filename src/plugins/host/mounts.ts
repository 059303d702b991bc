import { matcher } from "./patterns.ts";
import { readProc } from "./proc.ts";

/** A mounted file system. `source` is a device, `host:/path`, a dataset, or a bare word for a pseudo file system. */
export interface Mount {
  readonly source: string;
  readonly mountpoint: string;
  readonly fstype: string;
  readonly readonly: boolean;
}

/** Patterns of mounts to leave out. */
export interface Excludes {
  readonly mountpoints: readonly string[];
  readonly fstypes: readonly string[];
}

/**
 * The mounts worth a series: not excluded, visible, and each file system once.
 * A later mount hides an earlier one at the same place. A source that is a path (device, export, dataset path) is one
 * file system however often it is bind-mounted: the shortest mount point stands for it. `tmpfs` and its like name none.
 */
export function chooseMounts(mounts: readonly Mount[], exclude: Excludes): readonly Mount[] {
  const [badPlace, badType] = [matcher(exclude.mountpoints), matcher(exclude.fstypes)];
  const visible = [...new Map(mounts.map((mount) => [mount.mountpoint, mount])).values()];
  const kept = visible.filter((mount) => !badPlace(mount.mountpoint) && !badType(mount.fstype));
  const once = new Map<string, Mount>();
  for (const mount of kept.toSorted((a, b) => a.mountpoint.length - b.mountpoint.length)) {
    const identity = mount.source.includes("/") ? mount.source : `at ${mount.mountpoint}`;
    if (!once.has(identity)) once.set(identity, mount);
  }
  const chosen = new Set(once.values());
  return kept.filter((mount) => chosen.has(mount));
}

/** The kernel writes space, tab, newline and backslash (and # in newer ones) as three octal digits. */
const unescapeOctal = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

/** /proc/mounts: source, mount point, type, options. Lines of another shape are skipped. */
export function parseMounts(text: string): readonly Mount[] {
  return text.split("\n").flatMap((line) => {
    const [source, mountpoint, fstype, options] = line.split(" ");
    if (!source || !mountpoint || !fstype || !options) return [];
    const readonly = options.split(",").includes("ro");
    return [{ source: unescapeOctal(source), mountpoint: unescapeOctal(mountpoint), fstype, readonly }];
  });
}

/** In a container the host's mounts are those of process 1; process 1 may be hidden from us, then our own must do. */
export const readMounts = (root: string): readonly Mount[] =>
  parseMounts(readProc(root, "proc/1/mounts") || readProc(root, "proc/mounts"));
