import { z } from "zod";
import { PERMISSIONS } from "../model/external.ts";
import { atMostOne, bytes, given } from "./fields.ts";

/** Names that would change what a process is, and undo what bounds it. */
const FORBIDDEN_VARIABLE = /^(NODE_(?!EXTRA_CA_CERTS$|ENV$)|LD_)/;
const MIN_MEMORY = 128 * 1024 * 1024;

/** One entry of `external_plugins` in gleaner.yaml. */
export const externalPlugin = atMostOne(
  z.strictObject({
    file: z
      .string()
      .regex(/^(?!.*:\/\/)(?!(file|data|node|https?):)[^\0]+\.[cm]?[jt]s$/i, {
        error: "expected the path of a file that ends in .ts, .js, .mts or .mjs; no URL",
      })
      .refine((path) => !/^[^/\\].*(^|[/\\])\.\.([/\\]|$)|^\.\.([/\\]|$)/.test(path), {
        error: "expected a path within this file's folder, or an absolute one",
      })
      .optional()
      .describe(
        "Its file, in this file's folder or below it, or by its absolute path. The file's name is the plugin's id.",
      )
      .meta({ example: "./plugins/tank_level.ts" }),
    package: z
      .string()
      .regex(/^(@[a-z0-9-][a-z0-9-._]*\/)?[a-z0-9-][a-z0-9-._]*$/, { error: "expected the name of an npm package" })
      .optional()
      .describe("Instead: a package with the keyword gleaner-plugin that is installed beside this file.")
      .meta({ alternative: "gleaner-plugin-tank-level" }),
    sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, { error: "expected 64 hexadecimal digits" })
      .optional()
      .describe("The SHA-256 that its files must have, as `gleaner plugins validate` prints it; others are refused.")
      .meta({ example: "0".repeat(64) }),
    memory: bytes()
      .refine((size) => size >= MIN_MEMORY, { error: "expected at least 128MiB" })
      .prefault("256MiB")
      .describe("Most memory its process may take; it is ended when it takes more."),
    env: z
      .array(
        z
          .string()
          .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: "expected the name of an environment variable" })
          .refine((name) => !FORBIDDEN_VARIABLE.test(name), {
            error: "expected no variable that Node or the loader heeds",
          }),
      )
      .default([])
      .describe("Names of the environment variables it gets; it gets no others.")
      .meta({ example: ["TANK_TOKEN"] }),
    read: z
      .array(z.string().regex(/^\//, { error: "expected an absolute path" }))
      .default([])
      .describe("Files and folders it may read besides its own.")
      .meta({ example: ["/sys/class/hwmon"] }),
    allow: z
      .array(z.enum(PERMISSIONS))
      .default(["network"])
      .describe(
        "What else it may do: network, child_processes (which are then bounded by nothing but its process group), workers.",
      ),
  }),
  ["file", "package"],
).refine((value) => given(value, ["file", "package"]).length > 0, {
  error: "expected one of file, package",
  when: () => true,
});
