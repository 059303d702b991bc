import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { BSON } from "mongodb";

type Document = Readonly<Record<string, unknown>>;

/** What a command is answered with, by its name. An answer with a `code` is an error, as the server sends it; undefined is none. */
export type Answers = Readonly<Record<string, (command: Document, database: string) => Document | undefined>>;
type Answer = (command: Document, database: string) => Document | undefined;

export interface MongoOptions {
  /** Commands but those of the handshake want this user, by SCRAM-SHA-256. */
  readonly login?: { readonly user: string; readonly password: string };
  readonly tls?: { readonly cert: string; readonly key: string };
}

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const HEADER = 16;

/** Of MongoDB 6.0: what its handshake says about the protocol. */
const LIMITS = {
  ...{ maxBsonObjectSize: 16_777_216, maxMessageSizeBytes: 48_000_000, maxWriteBatchSize: 100_000 },
  ...{ minWireVersion: 0, maxWireVersion: 17, logicalSessionTimeoutMinutes: 30, readOnly: false },
};

/**
 * A server that speaks as much of MongoDB's wire protocol as a driver needs to log in and run commands, and answers with what
 * was recorded from real ones: there is no MongoDB in Debian.
 */
export async function serveMongo(
  answers: Answers,
  options: MongoOptions = {},
): Promise<{ port: number } & AsyncDisposable> {
  const peers = new Set<Socket>();
  const onPeer = (peer: Socket) => {
    peers.add(peer);
    peer.on("error", () => undefined).on("close", () => peers.delete(peer));
    const answer = createConversation(answers, options);
    let waiting = Buffer.alloc(0);
    peer.on("data", (chunk: Buffer) => {
      waiting = Buffer.concat([waiting, chunk]);
      while (waiting.length >= HEADER && waiting.length >= waiting.readInt32LE(0)) {
        const message = waiting.subarray(0, waiting.readInt32LE(0));
        waiting = waiting.subarray(message.length);
        const bytes = reply(message, answer);
        if (bytes) peer.write(bytes);
      }
    });
  };
  const server = options.tls ? createTlsServer(options.tls, onPeer) : createServer(onPeer);
  server.on("tlsClientError", () => undefined);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const peer of peers) peer.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Reads a request of either form, and puts the answer into the same form. */
function reply(message: Buffer, answer: Answer): Buffer | undefined {
  const [id, code] = [message.readInt32LE(4), message.readInt32LE(12)];
  if (code === OP_MSG) {
    const command = BSON.deserialize(message.subarray(HEADER + 5));
    const found = answer(command, String(command["$db"]));
    return found && frame(id, OP_MSG, Buffer.concat([Buffer.alloc(5), BSON.serialize(found)]));
  }
  if (code !== OP_QUERY) throw new Error(`no such operation: ${code}`);
  const end = message.indexOf(0, HEADER + 4);
  const database = message.toString("utf8", HEADER + 4, end).split(".")[0] ?? "";
  const command = BSON.deserialize(message.subarray(end + 9));
  const head = Buffer.alloc(20);
  head.writeInt32LE(1, 16);
  const found = answer(command, database);
  return found && frame(id, OP_REPLY, Buffer.concat([head, BSON.serialize(found)]));
}

function frame(responseTo: number, code: number, body: Buffer): Buffer {
  const head = Buffer.alloc(HEADER);
  for (const [index, value] of [HEADER + body.length, 0, responseTo, code].entries())
    head.writeInt32LE(value, index * 4);
  return Buffer.concat([head, body]);
}

const HANDSHAKE = new Set(["hello", "ismaster", "isMaster"]);

/** The state of one connection: whether it has logged in. */
function createConversation(answers: Answers, { login }: MongoOptions) {
  let isIn = login === undefined;
  let first: { readonly bare: string; readonly answer: string; readonly salt: Buffer } | undefined;
  const failed = { ok: 0, code: 18, codeName: "AuthenticationFailed", errmsg: "Authentication failed." };

  return (command: Document, database: string): Document | undefined => {
    const name = Object.keys(command)[0] ?? "";
    if (HANDSHAKE.has(name)) {
      const mechanisms = login ? { saslSupportedMechs: ["SCRAM-SHA-256"] } : {};
      return { helloOk: true, ...LIMITS, ...mechanisms, ...(answers["hello"]?.(command, database) ?? {}), ok: 1 };
    }
    if (name === "saslStart" && login) {
      const bare = payloadOf(command).slice("n,,".length);
      const salt = randomBytes(16);
      const nonce = `${/r=(.*)$/.exec(bare)?.[1]}${randomBytes(12).toString("base64")}`;
      first = { bare, salt, answer: `r=${nonce},s=${salt.toString("base64")},i=${ITERATIONS}` };
      return bare.startsWith(`n=${login.user},`) ? sasl(first.answer, false) : failed;
    }
    if (name === "saslContinue" && login && first) {
      const signature = verify(payloadOf(command), first, login.password);
      isIn = signature !== undefined;
      return signature === undefined ? failed : sasl(`v=${signature}`, true);
    }
    if (!isIn) return { ok: 0, code: 13, codeName: "Unauthorized", errmsg: `Command ${name} requires authentication` };
    const known = answers[name];
    if (!known) return { ok: 0, code: 59, codeName: "CommandNotFound", errmsg: `no such command: '${name}'` };
    const found = known(command, database);
    if (!found) return undefined;
    return "code" in found ? { ok: 0, ...found } : { ...found, ok: 1 };
  };
}

const ITERATIONS = 4096;
const payloadOf = ({ payload }: Document) => Buffer.from((payload as BSON.Binary).buffer).toString("utf8");
const sasl = (text: string, done: boolean) => ({
  conversationId: 1,
  done,
  payload: new BSON.Binary(Buffer.from(text)),
  ok: 1,
});
const hmac = (key: Buffer, text: string) => createHmac("sha256", key).update(text).digest();

/** The server's part of SCRAM-SHA-256 (RFC 5802, section 3): its signature, or undefined when the proof is of another password. */
function verify(
  final: string,
  first: { readonly bare: string; readonly answer: string; readonly salt: Buffer },
  password: string,
): string | undefined {
  const [, withoutProof = "", proof = ""] = /^(.*),p=(.*)$/.exec(final) ?? [];
  const salted = pbkdf2Sync(password, first.salt, ITERATIONS, 32, "sha256");
  const clientKey = hmac(salted, "Client Key");
  const stored = createHash("sha256").update(clientKey).digest();
  const message = `${first.bare},${first.answer},${withoutProof}`;
  const signature = hmac(stored, message);
  const expected = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
  if (!Buffer.from(expected).equals(Buffer.from(proof, "base64"))) return undefined;
  return hmac(hmac(salted, "Server Key"), message).toString("base64");
}
