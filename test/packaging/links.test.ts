import assert from "node:assert/strict";
import { existsSync, globSync } from "node:fs";
import { dirname, join } from "node:path";
import { it } from "node:test";
import { ROOT, text } from "./files.ts";

const LINK = /\]\((?<to>[^)\s#]+)[^)]*\)|(?:src|srcset)="(?<image>[^"]+)"/g;

for (const file of globSync(["*.md", "docs/**/*.md"], { cwd: ROOT })) {
  it(`links only to what exists: ${file}`, () => {
    const targets = [...text(file).matchAll(LINK)].map(({ groups }) => groups?.["to"] ?? groups?.["image"] ?? "");
    const local = targets.filter((target) => !/^[a-z]+:/.test(target));
    assert.deepEqual(
      local.filter((target) => !existsSync(join(ROOT, dirname(file), target))),
      [],
    );
  });
}
