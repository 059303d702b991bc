import type { statfs } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Rejection, Sample } from "../../model/sample.ts";
import { filesystemSamples } from "./filesystem.ts";
import type { Mount } from "./mounts.ts";

/** How mounts are asked. `stuck` holds the mount points whose last call has not come back; it outlives the run. */
export interface Asking {
  readonly root: string;
  readonly timeoutMs: number;
  readonly stuck: Set<string>;
  readonly signal: AbortSignal;
  readonly statfs: typeof statfs;
}

/** What the mounts answered, and those that did not. */
export interface Harvest<M extends string> {
  readonly samples: readonly Sample<M>[];
  readonly rejected: readonly Rejection[];
}
type SpaceHarvest = Harvest<ReturnType<typeof filesystemSamples>[number]["metric"]>;

/** Types whose server or daemon may be away; a call to such a one can hang for ever, and cannot be taken back. */
const REMOTE = /^(nfs|cifs|smb|9p|ceph|glusterfs|lustre|afs|fuse|davfs|beegfs|gpfs)/;
/**
 * A hung call occupies one of libuv's four threads, which the whole process needs for files and name resolution.
 * So a mount that hangs is not asked again before it answers, and no remote one while this many hang.
 */
const MAX_STUCK = 2;

const TIMED_OUT = Symbol("timed out");

/** The call's answer, or TIMED_OUT, or a rejection when the run ends; no timer stays behind. */
async function within<T>(work: Promise<T>, ms: number, signal: AbortSignal): Promise<T | typeof TIMED_OUT> {
  const done = new AbortController();
  const timer = delay(ms, TIMED_OUT, { signal: AbortSignal.any([signal, done.signal]) });
  timer.catch(() => undefined);
  try {
    return await Promise.race([work, timer]);
  } finally {
    done.abort();
  }
}

async function measureOne(mount: Mount, how: Asking): Promise<SpaceHarvest> {
  const rejected = (reason: string, detail: string): SpaceHarvest => ({ samples: [], rejected: [{ reason, detail }] });
  const { mountpoint } = mount;
  if (how.stuck.has(mountpoint)) return rejected("mount_timeout", `${mountpoint} still does not answer`);
  if (how.stuck.size >= MAX_STUCK && REMOTE.test(mount.fstype))
    return rejected("mount_timeout", `${mountpoint} not asked while ${how.stuck.size} others do not answer`);
  how.stuck.add(mountpoint);
  const call = how.statfs(join(how.root, mountpoint)).finally(() => how.stuck.delete(mountpoint));
  try {
    const answer = await within(call, how.timeoutMs, how.signal);
    if (answer === TIMED_OUT) return rejected("mount_timeout", `${mountpoint} did not answer in ${how.timeoutMs} ms`);
    const { bsize, blocks, bfree, bavail, files, ffree } = answer;
    const space = { size: blocks * bsize, used: (blocks - bfree) * bsize, available: bavail * bsize };
    return { samples: filesystemSamples(mount, { ...space, files, filesFree: ffree }), rejected: [] };
  } catch (error) {
    how.signal.throwIfAborted();
    return rejected("mount_unreadable", `${mountpoint}: ${(error as NodeJS.ErrnoException).code ?? "failed"}`);
  } finally {
    call.catch(() => undefined);
  }
}

/** Asks every mount for its space, local ones first, so that one that hangs holds up none that answers. */
export async function measure(mounts: readonly Mount[], how: Asking): Promise<SpaceHarvest> {
  const remote = (mount: Mount) => Number(REMOTE.test(mount.fstype));
  const harvests: SpaceHarvest[] = [];
  for (const mount of mounts.toSorted((a, b) => remote(a) - remote(b))) {
    how.signal.throwIfAborted();
    harvests.push(await measureOne(mount, how));
  }
  return { samples: harvests.flatMap((h) => h.samples), rejected: harvests.flatMap((h) => h.rejected) };
}
