import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { TemporaryFolder } from "../../support/folder.ts";

/** A certificate with its key, in PEM, and where the certificate is. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly file: string;
}

export interface Authority extends Certificate {
  /** Issues a certificate for a server; `host` as in a subjectAltName: `IP:127.0.0.1`. */
  issue(name: string, settings: { readonly host: string; readonly from?: string; readonly to?: string }): Certificate;
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
/** Times of certificates are YYYYMMDDHHMMSSZ. */
const LONG_AGO = "20200101000000Z";
const LONG_HENCE = "20991231235959Z";

/** Makes a certificate authority of a test's own in a folder. */
export function makeAuthority(folder: TemporaryFolder, name: string): Authority {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder.path, stdio: "pipe" });
  openssl(
    "req",
    "-x509",
    ...KEY,
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.pem`,
    "-days",
    "2",
    "-subj",
    `/CN=${name}`,
  );
  const read = (what: string): Certificate => ({
    cert: readFileSync(folder.at(`${what}.pem`), "utf8"),
    key: readFileSync(folder.at(`${what}.key`), "utf8"),
    file: folder.at(`${what}.pem`),
  });
  return {
    ...read(name),
    issue(what, { host, from = LONG_AGO, to = LONG_HENCE }) {
      // Only `openssl ca` lets dates be chosen, and it wants files for its bookkeeping.
      folder.write(`${what}.txt`, "");
      folder.write(`${what}.ext`, `subjectAltName=${host}\nbasicConstraints=CA:FALSE\n`);
      const paths = `database=${folder.at(`${what}.txt`)}\nnew_certs_dir=${folder.path}\n`;
      const policy = "default_md=sha256\npolicy=any\nrand_serial=yes\n[any]\ncommonName=supplied\n";
      folder.write(`${what}.cnf`, `[ca]\ndefault_ca=own\n[own]\n${paths}${policy}`);
      openssl("req", ...KEY, "-keyout", `${what}.key`, "-out", `${what}.csr`, "-subj", `/CN=${what}`);
      const dates = ["-startdate", from, "-enddate", to];
      const signer = ["-cert", `${name}.pem`, "-keyfile", `${name}.key`];
      const files = ["-in", `${what}.csr`, "-out", `${what}.pem`, "-extfile", `${what}.ext`, "-notext"];
      openssl("ca", "-batch", "-config", `${what}.cnf`, ...signer, ...files, ...dates);
      return read(what);
    },
  };
}
