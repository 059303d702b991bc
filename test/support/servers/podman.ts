import { existsSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../eventually.ts";
import type { TemporaryFolder } from "../folder.ts";
import { runProgram, startProgram } from "../program.ts";

/** Podman's server of Docker's protocol, on a unix socket, with an engine of its own that has containers of these names. */
export async function startPodman(folder: TemporaryFolder, names: readonly string[]) {
  const store = ["--root", folder.at("root"), "--runroot", folder.at("run"), "--storage-driver", "vfs"];
  const bare = [...store, "--cgroup-manager", "cgroupfs", "--events-backend", "file"];
  const place = { cwd: folder.path, env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: folder.path } };
  const podman = async (...args: string[]) => {
    const { code, output } = await runProgram("podman", [...bare, ...args], place);
    if (code !== 0) throw new Error(`podman ${args[0]}: ${output}`);
  };
  folder.write("greeting", "hello");
  await runProgram("tar", ["-cf", folder.at("image.tar"), "greeting"], place);
  await podman("import", folder.at("image.tar"), "tiny");
  // Made and not run: for that the kernel must let us do more than a container may.
  for (const name of names) await podman("create", "--name", name, "tiny", "/none");
  const socket = join(folder.path, "podman.sock");
  const server = startProgram("podman", [...bare, "system", "service", "--time=0", `unix://${socket}`], place);
  await eventually(() => {
    if (!existsSync(socket)) throw new Error(server.output());
  });
  return { socket, stop: () => server.stop() };
}
