import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system of the test's own; leaving its scope takes it away. */
export interface Mounted extends Disposable {
  readonly path: string;
  /** Mounts it anew with these options: `ro`, `rw`. */
  remount(options: string): void;
}

/** An ext4 file system in a file, whose power can be cut. */
export interface Disk extends Mounted {
  /**
   * As when the power goes: from now on everything fails with EIO, and what was not on the disk never gets there. The
   * journal is not flushed (EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH).
   */
  cut(): void;
  /** Takes it off, whoever still has a file open on it, and mounts it again with what the disk holds. */
  replug(): void;
}

const run = (command: string, ...args: readonly string[]) =>
  execFileSync(command, args, { stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });

/** Why file systems cannot be mounted here, or false. */
export function whyNoMounts(): string | false {
  if (process.getuid?.() !== 0) return "mounting a file system needs root";
  const place = join(tmpdir(), `gleaner-mount-${process.pid}`);
  mkdirSync(place, { recursive: true });
  try {
    using _mounted = tmpfs(place, 1);
    return false;
  } catch {
    return "this machine lets nobody mount a file system";
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** Why ext4 images cannot be mounted here, or false. */
export function whyNoLoop(): string | false {
  const why = whyNoMounts();
  if (why) return why;
  if (spawnSync("mkfs.ext4", ["-V"]).error) return "mkfs.ext4 is not installed (Debian package e2fsprogs)";
  if (spawnSync("losetup", ["--find"]).status !== 0) return "this machine has no loop devices";
  return false;
}

/** A file system in memory of so many MB. */
export function tmpfs(path: string, mb: number): Mounted {
  mkdirSync(path, { recursive: true });
  run("mount", "-t", "tmpfs", "-o", `size=${mb}m`, "tmpfs", path);
  const remount = (options: string) => void run("mount", "-o", `remount,${options}`, path);
  return { path, remount, [Symbol.dispose]: tidy(() => takeOff(path)) };
}

/** Takes all space of a file system but so many bytes; removing the file that it returns gives it back. */
export function fill(path: string, left: number): string {
  const { bavail, bsize } = statfsSync(path);
  const file = join(path, "filler");
  writeFileSync(file, Buffer.alloc(Math.max(0, bavail * bsize - left)));
  return file;
}

/** A file system on a disk of so many MB, which is the file `image`. */
export function ext4(path: string, image: string, mb: number): Disk {
  mkdirSync(path, { recursive: true });
  run("truncate", "-s", `${mb}M`, image);
  run("mkfs.ext4", "-q", image);
  const device = run("losetup", "--find", "--show", image).trim();
  const plug = () => void run("mount", device, path);
  const dispose = tidy(() => {
    takeOff(path);
    run("losetup", "--detach", device);
  });
  try {
    plug();
  } catch (error) {
    dispose();
    throw error;
  }
  return {
    path,
    remount: (options) => void run("mount", "-o", `remount,${options}`, path),
    cut: () => void run("perl", "-e", CUT, path),
    replug() {
      takeOff(path);
      plug();
    },
    [Symbol.dispose]: dispose,
  };
}

/** EXT4_IOC_SHUTDOWN is _IOR('X', 125, __u32); 2 is EXT4_GOING_FLAGS_NOLOGFLUSH. */
const CUT = 'open(my $f, "<", $ARGV[0]) or die $!; my $flag = pack("L", 2); ioctl($f, 0x8004587d, $flag) or die $!';

/** Lazily: a process that was killed a moment ago may still have it. */
function takeOff(path: string): void {
  if (spawnSync("mountpoint", ["-q", path]).status === 0) run("umount", "--lazy", path);
}

/** Runs once, at the latest when this process ends: no mount outlives its test. */
function tidy(work: () => void): () => void {
  let done = false;
  const once = () => {
    if (done) return;
    done = true;
    process.off("exit", once);
    work();
  };
  process.once("exit", once);
  return once;
}
