import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, type ZlibOptions } from "node:zlib";
import { CollectError } from "../../model/run.ts";
import { MAX_BODY_BYTES, tooLarge } from "./answer.ts";
import { textOf } from "./body.ts";

type Decode = (data: Buffer, options: ZlibOptions) => Promise<Buffer>;

/** A Map, for the name comes from the other side: of a plain object, "constructor" would be a decoder too. */
const DECODERS: ReadonlyMap<string, Decode> = new Map([
  ["gzip", promisify(gunzip) as Decode],
  ["x-gzip", promisify(gunzip) as Decode],
  ["deflate", promisify(inflate) as Decode],
  ["br", promisify(brotliDecompress) as Decode],
]);

/**
 * Decodes a body into text, counting *decoded* bytes, so that half a megabyte of gzip cannot become half a gigabyte of memory.
 * @param encoding value of Content-Encoding
 */
export async function decodeBody(body: Buffer, encoding: string): Promise<string> {
  const name = encoding.trim().toLowerCase();
  if (name === "" || name === "identity" || body.length === 0) return textOf(body);
  const decode = DECODERS.get(name);
  if (!decode) {
    throw new CollectError("bad_data", `content-encoding ${JSON.stringify(name.slice(0, 40))} is not supported`);
  }
  try {
    return textOf(await decode(body, { maxOutputLength: MAX_BODY_BYTES }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    throw new CollectError("bad_data", `the body is not ${name}`, { cause: error });
  }
}
