import { z } from "zod";

/** The configuration field of every plugin that reads the host's files. */
export const root = z
  .string()
  .min(1)
  .max(4096)
  .default("/")
  .describe("Where the host's file system is mounted, e.g. /host in a container.");

/** Whether /proc and /sys lie below `root`: a root other than / is a mounted Linux tree on any platform. */
export const isLinux = (root: string): boolean => root !== "/" || process.platform === "linux";
