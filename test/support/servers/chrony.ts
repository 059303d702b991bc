import type { TemporaryFolder } from "../folder.ts";
import { startProgram } from "../program.ts";
import type { TestServer } from "./dns.ts";
import { freePort } from "./port.ts";

/** chronyd that serves the time of this host as its own and never sets a clock (-x). @param settings lines of its file */
export async function startChrony(folder: TemporaryFolder, settings: readonly string[]): Promise<TestServer> {
  const port = await freePort();
  const file = folder.write(
    "chrony.conf",
    [
      `port ${port}`,
      "cmdport 0",
      "bindaddress 127.0.0.1",
      `pidfile ${folder.at("pid")}`,
      "bindcmdaddress /",
      ...settings,
      "",
    ].join("\n"),
  );
  const user = process.getuid?.() === 0 ? ["-u", "root"] : ["-U"];
  const program = startProgram("chronyd", ["-d", "-x", ...user, "-f", file], {
    cwd: folder.path,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
  });
  await program.printed(/chronyd version/);
  return { port, stop: () => program.stop() };
}
