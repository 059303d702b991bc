// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration look like these.
import { z } from "zod";

/** A path of the file system, as a setting. */
export const path = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[^\0]*$/, { error: "expected the path of a file" });

/** The host of a server: a name, an address, or for those that have one the folder or path of a unix socket. */
export const host = z
  .string()
  .min(1)
  .max(255)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  .regex(/^[^\s\u0000-\u001f@?#]+$/, { error: "expected a host name, an address or a path" });

/** A TCP port. */
export const port = z.int().min(1).max(65_535);

/** A user name or the like, which the protocol carries as it is. */
export const name = z
  .string()
  .min(1)
  .max(255)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  .regex(/^[^\u0000-\u001f]*$/, { error: "expected text without control characters" });

/** `password` and `password_file`: the secret itself, or where it lies. */
export const password = {
  password: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe("Password, where one is needed; best written ${NAME}, from the environment.")
    .meta({ alternative: "${SOME_PASSWORD}" }),
  password_file: path
    .optional()
    .describe("A file that holds the password, instead of `password`; read anew at each collection.")
    .meta({ alternative: "/run/secrets/password" }),
};

/** `tls` and `tls_ca_file`: whether and how a connection is encrypted. */
export const tls = {
  tls: z
    .enum(["off", "on", "unverified"])
    .default("off")
    .describe(
      "Encryption: off; on, and the server must prove who it is; unverified, which anybody in between can read.",
    ),
  tls_ca_file: path
    .optional()
    .describe("Certificates (PEM) that the server is held to, instead of the system's.")
    .meta({ alternative: "/etc/ssl/our-ca.pem" }),
};

/** A configuration with `password` and `password_file`, of which one at most may be given. */
export function onePassword<T extends z.ZodType<{ readonly password?: unknown; readonly password_file?: unknown }>>(
  schema: T,
): T {
  return schema.refine((config) => config.password === undefined || config.password_file === undefined, {
    error: "only one of password and password_file can be given",
    path: ["password_file"],
  });
}

/**
 * The same with `user`, for a server that lets in whoever logs in with both and whoever does not log in: one without the other
 * is a slip.
 */
export function userAndPassword<
  T extends z.ZodType<{ readonly user?: unknown; readonly password?: unknown; readonly password_file?: unknown }>,
>(schema: T): T {
  return onePassword(schema).refine(
    ({ user, password, password_file }) => (user === undefined) === ((password ?? password_file) === undefined),
    { error: "user and password only make sense together", path: ["user"] },
  );
}
