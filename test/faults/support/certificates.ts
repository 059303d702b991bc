import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { TemporaryFolder } from "../../support/folder.ts";

/** A certificate with its key, in PEM, and where both are. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly file: string;
  readonly keyFile: string;
}

interface Dates {
  /** Times of certificates are YYYYMMDDHHMMSSZ. */
  readonly from?: string;
  readonly to?: string;
}

export interface Authority extends Certificate {
  /** Issues a certificate for a server; `host` as in a subjectAltName: `IP:127.0.0.1`. */
  issue(name: string, settings: Dates & { readonly host: string }): Certificate;
  /** Makes an authority below this one. */
  intermediate(name: string): Authority;
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const LONG_AGO = "20200101000000Z";
const LONG_HENCE = "20991231235959Z";

const opensslIn = (folder: TemporaryFolder, args: readonly string[]) =>
  execFileSync("openssl", args, { cwd: folder.path, stdio: "pipe" });

const read = (folder: TemporaryFolder, what: string): Certificate => ({
  cert: readFileSync(folder.at(`${what}.pem`), "utf8"),
  key: readFileSync(folder.at(`${what}.key`), "utf8"),
  file: folder.at(`${what}.pem`),
  keyFile: folder.at(`${what}.key`),
});

/** Makes a certificate that nobody else signed; `extra` as options of `openssl req`. */
export function selfSigned(folder: TemporaryFolder, name: string, ...extra: string[]): Certificate {
  const files = ["-keyout", `${name}.key`, "-out", `${name}.pem`];
  opensslIn(folder, ["req", "-x509", ...KEY, ...files, "-days", "2", "-subj", `/CN=${name}`, ...extra]);
  return read(folder, name);
}

/** Makes a certificate authority of a test's own in a folder. */
export function makeAuthority(folder: TemporaryFolder, name: string): Authority {
  return authorityOf(folder, name, selfSigned(folder, name));
}

function authorityOf(folder: TemporaryFolder, name: string, own: Certificate): Authority {
  const sign = (what: string, extensions: string, { from = LONG_AGO, to = LONG_HENCE }: Dates) => {
    // Only `openssl ca` lets dates be chosen, and it wants files for its bookkeeping.
    folder.write(`${what}.txt`, "");
    folder.write(`${what}.ext`, extensions);
    const paths = `database=${folder.at(`${what}.txt`)}\nnew_certs_dir=${folder.path}\n`;
    const policy = "default_md=sha256\npolicy=any\nrand_serial=yes\n[any]\ncommonName=supplied\n";
    folder.write(`${what}.cnf`, `[ca]\ndefault_ca=own\n[own]\n${paths}${policy}`);
    opensslIn(folder, ["req", ...KEY, "-keyout", `${what}.key`, "-out", `${what}.csr`, "-subj", `/CN=${what}`]);
    const dates = ["-startdate", from, "-enddate", to];
    const signer = ["-cert", `${name}.pem`, "-keyfile", `${name}.key`];
    const files = ["-in", `${what}.csr`, "-out", `${what}.pem`, "-extfile", `${what}.ext`, "-notext"];
    opensslIn(folder, ["ca", "-batch", "-config", `${what}.cnf`, ...signer, ...files, ...dates]);
    return read(folder, what);
  };
  return {
    ...own,
    issue: (what, { host, ...dates }) => sign(what, `subjectAltName=${host}\nbasicConstraints=CA:FALSE\n`, dates),
    intermediate: (what) => authorityOf(folder, what, sign(what, "basicConstraints=critical,CA:TRUE\n", {})),
  };
}
