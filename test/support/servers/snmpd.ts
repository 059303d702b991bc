import type { TemporaryFolder } from "../folder.ts";
import { startProgram } from "../program.ts";
import type { TestServer } from "./dns.ts";
import { freePort } from "./port.ts";

/** snmpd on a port of its own. @param settings lines of its file */
export async function startSnmpd(folder: TemporaryFolder, settings: readonly string[]): Promise<TestServer> {
  const port = await freePort();
  const file = folder.write("snmpd.conf", `${settings.join("\n")}\n`);
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", SNMP_PERSISTENT_DIR: folder.path, SNMPCONFPATH: folder.path };
  const args = ["-f", "-Lo", "-C", "-c", file, "-p", folder.at("pid"), `udp:127.0.0.1:${port}`];
  const program = startProgram("snmpd", args, { cwd: folder.path, env });
  await program.printed(/NET-SNMP version/);
  return { port, stop: () => program.stop() };
}
