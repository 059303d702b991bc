import { crc32, deflateRawSync, constants as zlib } from "node:zlib";
import { type Json, python } from "./fields.ts";
import type { Route } from "./routes.ts";
import type { Answer } from "./wire.ts";

/** A body that is no JSON: half an object, control characters, and bytes above ASCII. */
export const GARBAGE = '{"drones": [{"id": "drone-\u0000\u0007 \u00ff\u00fe Traceback (most recent call last)';

/** What stands between a kit and its collector in a hotel. */
export const PORTAL: Answer = page(
  "<!DOCTYPE html><html><head><title>Welcome</title></head><body><h1>Please sign in</h1></body></html>\n",
);

function page(body: string): Answer {
  const headers = [
    ["Content-Type", "text/html"],
    ["Content-Length", String(body.length)],
  ] as const;
  return { status: 200, reason: "OK", headers, body };
}

/** JSON.parse takes this; whatever then walks it recursively does not survive. */
export function deepBody(route: Route): string {
  const depth = 1_000_000;
  const nested = `${"[".repeat(depth)}${"]".repeat(depth)}`;
  return `{"${route === "/status" ? "lat" : route.slice(1)}": ${nested}}`;
}

const BOMB_BLOCK = 1024 * 1024;
const BOMB_BLOCKS = 512;

/** A valid gzip answer, a thousand times larger unpacked: 512 MB of blanks in an empty list. */
export function gzipBomb(): Answer {
  const body = bombBody();
  const headers = [
    ["Content-Type", "application/json"],
    ["Content-Encoding", "gzip"],
    ["Content-Length", String(body.length)],
  ] as const;
  return { status: 200, reason: "OK", headers, body };
}

/** Each piece ends at a byte (full flush) and refers to nothing before it, so the same blanks are deflated once. */
function bombBody(): Buffer {
  const blanks = Buffer.alloc(BOMB_BLOCK, " ");
  const pieces = [Buffer.from('{"drones": ['), ...Array<Buffer>(BOMB_BLOCKS).fill(blanks), Buffer.from("]}")];
  const deflate = (data: Buffer) => deflateRawSync(data, { finishFlush: zlib.Z_FULL_FLUSH, level: 9 });
  const packedBlanks = deflate(blanks);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(pieces.reduce((crc, piece) => crc32(piece, crc), 0));
  trailer.writeUInt32LE(
    pieces.reduce((sum, piece) => sum + piece.length, 0),
    4,
  );
  const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
  const end = Buffer.from([3, 0]);
  return Buffer.concat([header, ...pieces.map((p) => (p === blanks ? packedBlanks : deflate(p))), end, trailer]);
}

/** 302 to a port of this host that counts who comes. */
export function redirect(port: number, path: string): Answer {
  const headers = [
    ["Location", `http://127.0.0.1:${port}${path}`],
    ["Content-Length", "0"],
  ] as const;
  return { status: 302, reason: "Found", headers, body: "" };
}

const misfits: readonly Json[] = [
  7,
  null,
  "drone",
  true,
  [],
  { id: 42, track_type: "drone", last_update_time: "yesterday", lat: "north", speed: { value: 1 } },
  { track_type: ["aircraft"], id: { hex: "A1B2C3" }, last_update_time: null },
  { uid: 9, center_hz: "5.8 GHz", observed_at: [] },
];
/** Members of a list that are no tracks or signals: what a collector must reject one by one. */
export const MISFITS = misfits.map(python);

/** The keys that JavaScript objects inherit, as members of an object. */
export const POLLUTION = '"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}';

/** The ids that JavaScript objects inherit. */
export const INHERITED_IDS = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"] as const;
