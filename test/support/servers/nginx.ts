import { eventually } from "../eventually.ts";
import { type TemporaryFolder, temporaryFolder } from "../folder.ts";
import { SERVER_PATH, startProgram } from "../program.ts";
import { freePort } from "./port.ts";

/** A real nginx of a test's own. */
export interface Nginx {
  /** It listens on 127.0.0.1, on the ports that its servers use. */
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

/**
 * Starts nginx in a folder that goes when it stops.
 * @param count how many ports it needs; plain HTTP on the first
 * @param servers `server { … }` blocks for its http section
 */
export async function startNginx(
  count: number,
  servers: (ports: readonly number[], folder: TemporaryFolder) => string,
): Promise<Nginx> {
  const folder = temporaryFolder();
  const ports = await Promise.all(Array.from({ length: count }, freePort));
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${folder.path};`);
  const config = `daemon off; master_process off; pid ${folder.at("pid")}; error_log stderr info;
events { worker_connections 512; }
http { access_log off; ${paths.join(" ")}
${servers(ports, folder)}
}
`;
  const args = ["-p", folder.path, "-c", folder.write("nginx.conf", config)];
  const program = startProgram("nginx", args, { cwd: folder.path, env: { PATH: SERVER_PATH } });
  await eventually(async () => {
    const answer = await fetch(`http://127.0.0.1:${ports[0]}/`, { redirect: "manual" }).catch(() => undefined);
    if (!answer) throw new Error(`nginx does not answer:\n${program.output()}`);
    await answer.body?.cancel();
  });
  return {
    ports,
    async stop() {
      await program.stop();
      folder[Symbol.dispose]();
    },
  };
}
