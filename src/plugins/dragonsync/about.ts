import type { Context } from "../../model/plugin.ts";
import { CollectError, NothingHere } from "../../model/run.ts";
import type { Collected, Document } from "../../model/sample.ts";
import { cleaned } from "./extra.ts";
import { type Address, ask, bodyOf } from "./http.ts";
import { isObject, shapeOf } from "./json.ts";
import { parseBody } from "./parse.ts";
import { count, rejections, type Tally } from "./tally.ts";

/** The kit's settings (it leaves its secrets out), and the only version it tells: the commit it runs. */
const DOCUMENTS = [
  { name: "config", path: "/config" },
  { name: "update_check", path: "/update/check" },
] as const;
/** Characters; real ones have about a thousand. */
const MAX_DOCUMENT = 65_536;

/**
 * Reads /config and /update/check, each kept whole as a document. One that fails does not cost the other.
 * @throws {NothingHere} when the kit has neither
 * @throws {CollectError} when none came and at least one failed for another reason
 */
export async function readAbout(context: Context, kit: Address): Promise<Collected<never>> {
  const tally: Tally = new Map();
  const answers = await Promise.allSettled(DOCUMENTS.map((wanted) => readDocument(context, kit, wanted, tally)));
  const documents = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  const errors = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason as unknown] : []));
  const failure = errors.find((error) => !isMissing(error));
  if (documents.length === 0) throw failure ?? new NothingHere("this kit tells neither /config nor /update/check");
  // What a kit just lacks is worth no count every hour for ever; what broke is.
  if (failure !== undefined) count(tally, "document_failed", (failure as Error).message);
  return { samples: [], documents, rejected: rejections(tally) };
}

async function readDocument(
  context: Context,
  kit: Address,
  { name, path }: (typeof DOCUMENTS)[number],
  tally: Tally,
): Promise<Document> {
  const body = bodyOf(await ask(context, kit, path), path, context.now());
  if (body.length > MAX_DOCUMENT)
    throw new CollectError("bad_data", `GET ${path}: ${body.length} characters is too much`);
  const { value, notNumbers } = parseBody(body, `GET ${path}`);
  if (!isObject(value)) throw new CollectError("bad_data", `GET ${path}: expected an object, got ${shapeOf(value)}`);
  if (notNumbers > 0) count(tally, "not_a_number", path, notNumbers);
  return { name, body: cleaned(value) };
}

/** 404: an old kit; 5xx: the kit cannot tell right now. Neither is a failure of the kit. */
function isMissing(error: unknown): boolean {
  if (!(error instanceof CollectError) || error.kind !== "http_status") return false;
  return error.status === 404 || (error.status !== undefined && error.status >= 500);
}
