import { chmodSync } from "node:fs";
import { eventually } from "../eventually.ts";
import type { TemporaryFolder } from "../folder.ts";
import { runProgram, startProgram } from "../program.ts";
import { listening, type TestServer } from "./dns.ts";
import { freePort } from "./port.ts";

/** Not those on the PATH: Debian wraps them, and they do nothing before its own configuration says so. */
const DRIVER = "/lib/nut/dummy-ups";

/** upsd with NUT's own simulator, which plays what the `.dev` file of a UPS says. @param devices their lines, by name */
export async function startNut(
  folder: TemporaryFolder,
  devices: Readonly<Record<string, readonly string[]>>,
): Promise<TestServer & { stopDriver(name: string): Promise<void> }> {
  const port = await freePort();
  const env = {
    PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
    NUT_CONFPATH: folder.path,
    NUT_STATEPATH: folder.path,
    NUT_ALTPIDPATH: folder.path,
  };
  const place = { cwd: folder.path, env };
  const sections = Object.entries(devices).map(([name, lines]) => {
    folder.write(`${name}.dev`, `${lines.join("\n")}\n`);
    return `[${name}]\n  driver = dummy-ups\n  port = ${name}.dev\n  desc = "a test's"\n`;
  });
  folder.write("ups.conf", `pollinterval = 1\n${sections.join("\n")}`);
  folder.write("upsd.conf", `LISTEN 127.0.0.1 ${port}\nMAXAGE 3\n`);
  folder.write("upsd.users", "");
  for (const file of ["ups.conf", "upsd.conf", "upsd.users"]) chmodSync(folder.at(file), 0o640);
  const user = process.getuid?.() === 0 ? ["-u", "root"] : [];
  const drivers = new Map(
    Object.keys(devices).map((name) => [name, startProgram(DRIVER, ["-F", "-a", name, ...user], place)]),
  );
  await eventually(async () => {
    for (const name of drivers.keys()) {
      const { code } = await runProgram("test", ["-S", folder.at(`dummy-ups-${name}`)], place);
      if (code !== 0) throw new Error(`no driver: ${drivers.get(name)?.output()}`);
    }
  });
  const server = startProgram("/lib/nut/upsd", ["-F", ...user], place);
  await listening(port).catch((error) => {
    throw new Error(`${error}: ${server.output()}`);
  });
  return {
    port,
    stopDriver: async (name) => drivers.get(name)?.stop(),
    async stop() {
      await server.stop();
      for (const driver of drivers.values()) await driver.stop();
    },
  };
}
