import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { readConfigured } from "./files.ts";

/** What the settings `password` and `password_file` hold. */
export interface PasswordConfig {
  readonly password?: string | undefined;
  readonly password_file?: string | undefined;
}

/**
 * The password that is configured, if one is: a file's first line, so that files that editors wrote do.
 * @throws {CollectError} bad_data when the file cannot be read
 */
export async function readPassword({ password, password_file }: PasswordConfig): Promise<string | undefined> {
  if (password_file === undefined) return password;
  return (await readConfigured(password_file, "password_file")).split(/\r?\n/, 1)[0];
}

/** What the settings `tls` and `tls_ca_file` hold. */
export interface TlsConfig {
  readonly tls: "off" | "on" | "unverified";
  readonly tls_ca_file?: string | undefined;
}

/**
 * Options for Node's TLS; undefined where nothing is encrypted.
 * @throws {CollectError} bad_data when the file cannot be read
 */
export async function tlsOptions(
  { tls, tls_ca_file }: TlsConfig,
  host: string,
): Promise<Pick<ConnectionOptions, "ca" | "rejectUnauthorized" | "servername"> | undefined> {
  if (tls === "off") return undefined;
  return {
    rejectUnauthorized: tls === "on",
    // Addresses may not be sent as a server name.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(tls_ca_file === undefined ? {} : { ca: await readConfigured(tls_ca_file, "tls_ca_file") }),
  };
}
