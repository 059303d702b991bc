import { z } from "zod";
import { CollectError } from "../../model/run.ts";
import { readConfigured } from "../client/files.ts";

const EXPECTED_URL =
  "expected an http or https URL such as https://example.org/health, without user, password and fragment";

/** The address of something on the web. Credentials have fields of their own: a URL is shown in labels and logs. */
export const webUrl = () => z.string().max(2_000).refine(isWebUrl, { error: EXPECTED_URL });

function isWebUrl(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    /^https?:\/\//i.test(text) &&
    url.hostname !== "" &&
    `${url.username}${url.password}${url.hash}` === "" &&
    // The parser forgives an empty user, and spaces.
    !/\s|^[^/]*\/\/[^/?]*@/.test(text)
  );
}

const path = () => z.string().min(1).max(4_096);
/** Visible characters, as HTTP headers can carry them. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Further request headers. */
export const headers = () =>
  z.record(
    z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$/, { error: "expected the name of an HTTP header" }),
    z.string().max(8_192).regex(HEADER_VALUE, { error: "expected the value of an HTTP header, on one line" }),
  );

/** Settings with which a request says who asks, and whom it trusts. Spread them into a plugin's own. */
export const credentialFields = {
  username: z.string().max(1_000).optional().describe("User name, where the server asks for one (HTTP Basic)."),
  password: z.string().max(8_192).optional().describe("Password of that user; best out of the environment."),
  password_file: path().optional().describe("File with the password, instead of `password`; read at every run."),
  bearer_token: z
    .string()
    .max(8_192)
    .regex(/^[!-~]+$/, { error: "expected a token without spaces" })
    .optional()
    .describe("Bearer token that is sent; best out of the environment."),
  bearer_token_file: path().optional().describe("File with the token, instead of `bearer_token`; read at every run."),
  tls_ca_file: path()
    .optional()
    .describe("Certificates (PEM) that the server is held to, instead of the system's; read at every run."),
};
export type Credentials = z.output<z.ZodObject<typeof credentialFields>>;

/** Why these credentials cannot be meant; undefined when they can. */
export function credentialProblem(given: Credentials): string | undefined {
  const { username, password, password_file, bearer_token, bearer_token_file } = given;
  if (password !== undefined && password_file !== undefined) return "expected only one of password and password_file";
  if (bearer_token !== undefined && bearer_token_file !== undefined)
    return "expected only one of bearer_token and bearer_token_file";
  const hasBasic = username !== undefined || password !== undefined || password_file !== undefined;
  const hasBearer = bearer_token !== undefined || bearer_token_file !== undefined;
  if (hasBasic && username === undefined) return "expected a username with the password";
  return hasBasic && hasBearer ? "expected either a username or a bearer token" : undefined;
}

/** The check above, for `.check()` of a schema. */
export function checkCredentials({ value, issues }: z.core.ParsePayload<Credentials>): void {
  const message = credentialProblem(value);
  if (message !== undefined) issues.push({ code: "custom", message, input: undefined });
}

/**
 * The header with which a request says who asks; empty for nobody in particular.
 * @throws {CollectError} bad_data when a file cannot be read, or holds no token
 */
export async function authorization(given: Credentials): Promise<Readonly<Record<string, string>>> {
  const { username, password, password_file, bearer_token, bearer_token_file } = given;
  const read = async (field: "password_file" | "bearer_token_file", file: string) =>
    (await readConfigured(file, field)).split(/\r?\n/, 1)[0] ?? "";
  if (username !== undefined) {
    const secret = password ?? (password_file === undefined ? "" : await read("password_file", password_file));
    return { authorization: `Basic ${Buffer.from(`${username}:${secret}`).toString("base64")}` };
  }
  const token = bearer_token ?? (bearer_token_file && (await read("bearer_token_file", bearer_token_file)));
  if (token === undefined) return {};
  if (!/^[!-~]+$/.test(token))
    throw new CollectError("bad_data", `bearer_token_file: ${bearer_token_file} does not hold one token`);
  return { authorization: `Bearer ${token}` };
}

/** The certificates that a server is held to; nothing for those of the system. */
export async function trusted({ tls_ca_file }: Pick<Credentials, "tls_ca_file">): Promise<{ readonly ca?: string }> {
  return tls_ca_file === undefined ? {} : { ca: await readConfigured(tls_ca_file, "tls_ca_file") };
}
