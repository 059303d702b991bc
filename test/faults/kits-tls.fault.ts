import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createPlainServer } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { temporaryFolder } from "../support/folder.ts";
import { withoutProgram } from "../support/program.ts";
import { kitState } from "../support/scrape.ts";
import { failures, startBeside } from "./support/beside.ts";
import { type Certificate, makeAuthority } from "./support/certificates.ts";
import { fault } from "./support/fault.ts";
import { type RawKit, rawKits, track } from "./support/raw-kit.ts";

/** A kit that speaks TLS and is in order otherwise. `answers` counts the requests it understood. */
async function tlsKit(id: string, { cert, key }: Certificate) {
  let answers = 0;
  const server = createServer({ cert, key }, (request, response) => {
    answers++;
    const body = request.url === "/drones" ? { drones: [track(`of-${id}`)] } : { signals: [], uid: id, cpu_usage: 1 };
    response.end(JSON.stringify(body));
  });
  server.on("tlsClientError", () => undefined).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    ...{ id, answers: () => answers, url: urlOf(server) },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

const urlOf = (server: Server) => `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
const secure = ({ id, url }: RawKit) => ({ id, url: url.replace("http:", "https:") });
const STALLED = 20;

fault(
  "K17",
  "TLS: expired, of another host, self-signed, of another authority, stalled; and a pinned one that works",
  { quick: false, skip: withoutProgram("openssl") },
  async () => {
    using folder = temporaryFolder();
    const [own, other] = [makeAuthority(folder, "own"), makeAuthority(folder, "other")];
    const host = "IP:127.0.0.1";
    const good = own.issue("good", { host });
    await using parts = new AsyncDisposableStack();
    const open = async (id: string, certificate: Certificate) => parts.use(await tlsKit(id, certificate));
    const pinned = await open("pinned", good);
    const bad = [
      { ...(await open("expired", own.issue("expired", { host, to: "20210101000000Z" }))), caFile: own.file },
      { ...(await open("not-yet", own.issue("not-yet", { host, from: "20980101000000Z" }))), caFile: own.file },
      { ...(await open("other-host", own.issue("other-host", { host: "DNS:kit.example" }))), caFile: own.file },
      { ...(await open("other-authority", other.issue("other-leaf", { host }))), caFile: own.file },
      { ...(await open("self-signed", own)) },
      { ...(await open("unpinned", good)) },
    ];
    const stall = Array.from({ length: STALLED }, (_, n) => [`stalled-${n}`, () => undefined] as const);
    await using stalled = await rawKits(Object.fromEntries(stall));
    let plainRequests = 0;
    const plain = createPlainServer(() => plainRequests++).listen(0, "127.0.0.1");
    await once(plain, "listening");
    parts.defer(() => void plain.close());
    const silent = stalled.list.map((kit) => ({ ...secure(kit), caFile: own.file }));
    const kits = [{ ...pinned, caFile: own.file }, ...bad, ...silent, { id: "plain", url: urlOf(plain) }];
    await using it = await startBeside({ kits });
    const { mostFiles } = await it.watch(8_000);
    const series = await it.series();
    assert.equal(kitState(series, "pinned"), "online");
    for (const { id, answers } of bad) {
      assert.equal(kitState(series, id), "offline", id);
      assert.ok(failures(series, id, "unreachable") > 0, id);
      assert.equal(answers(), 0, `${id}: nothing was asked of it`);
    }
    assert.ok(failures(series, "plain", "unreachable") > 0, "a server without TLS");
    assert.equal(plainRequests, 0, "and it never sees a request");
    for (const kit of stalled.list) {
      assert.equal(kitState(series, kit.id), "offline", kit.id);
      assert.ok(failures(series, kit.id, "timeout") > 0, kit.id);
      assert.ok(kit.sockets().most <= 5, `${kit.id}: ${kit.sockets().most} connections`);
    }
    const figures = await it.finish(async (db) => {
      const rows = await db.query(
        "select kit_id, count(*) as n from drones where drone_id like 'of-%' group by kit_id",
      );
      assert.deepEqual(
        rows.map((row) => row["kit_id"]),
        ["pinned"],
      );
      const said = await db.query("select distinct target_id, error_message from plugin_executions");
      const messages = (id: string) =>
        said
          .filter((row) => row["target_id"] === id)
          .map((row) => String(row["error_message"]))
          .join();
      assert.match(messages("expired"), /certificate has expired/);
      assert.match(messages("not-yet"), /certificate is not yet valid/);
      assert.match(messages("other-host"), /does not match certificate's altnames/);
      assert.match(messages("other-authority"), /unable to/);
      assert.match(messages("self-signed"), /self-signed certificate/);
    });
    return { ...figures, note: `at most ${mostFiles} open files with ${STALLED} stalled handshakes` };
  },
);
