import { execFile } from "node:child_process";
import { promisify } from "node:util";
import mysql from "mysql2/promise";
import { type Place, type Service, startService } from "./service.ts";

export const socketIn = ({ folder }: Pick<Place, "folder">): string => `${folder}/socket`;

/** A connection as its administrator. */
export const rootOf = (place: Place): Promise<mysql.Connection> =>
  mysql.createConnection({ socketPath: socketIn(place), user: "root" });

/** A MariaDB as root, whose root user needs no password over the socket; durability left out. @param more further options */
export const startMariaDB = (...more: readonly string[]): Promise<Service> =>
  startService({
    program: "mariadbd",
    async prepare({ folder }) {
      const options = ["--no-defaults", `--datadir=${folder}/data`, "--user=root", "--skip-test-db"];
      await promisify(execFile)("mariadb-install-db", [...options, "--auth-root-authentication-method=normal"]);
    },
    args: ({ folder, port }) => [
      ...["--no-defaults", "--user=root", `--datadir=${folder}/data`, `--socket=${folder}/socket`, `--port=${port}`],
      ...["--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M"],
      ...["--innodb-flush-method=fsync", "--skip-name-resolve", "--max-connections=20", ...more],
    ],
    ready: async (place) => (await rootOf(place)).end(),
  });
