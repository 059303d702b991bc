import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../support/folder.ts";
import { startGleaner } from "../support/process.ts";

const PAGE = readFileSync(new URL("../../docs/agents.md", import.meta.url), "utf8");
const BIN = fileURLToPath(new URL("../../bin/gleaner.js", import.meta.url));

const blocks = (language: string): string[] =>
  [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm"))].map(([, text]) => text ?? "");

/** `npx gleaner` is this gleaner, and the default address is that of the one that was started. */
const surroundings = (url: string) => `npx() { shift; "${process.execPath}" "${BIN}" "$@"; }
set -eu
${blocks("sh").join("").replace("http://127.0.0.1:9470", url)}`;

async function shell(script: string, cwd: string): Promise<{ code: number | null; said: string }> {
  const child = spawn("bash", ["-c", script], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, said };
}

test("docs/agents.md: what it tells to type prints what it says", async () => {
  using folder = temporaryFolder();
  await using gleaner = await startGleaner({ cwd: folder.path });
  const { code, said } = await shell(surroundings(gleaner.url), folder.path);
  assert.equal(code, 0, said);
  const [expected = ""] = blocks("text");
  const lines = (text: string) => text.replaceAll("}{", "}\n{").replaceAll("}gleaner", "}\ngleaner").trim().split("\n");
  assert.deepEqual(lines(said).toSorted(), lines(expected).toSorted());
});
