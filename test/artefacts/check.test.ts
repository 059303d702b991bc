import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { checkArtefacts, RULES } from "../../src/artefacts/check.ts";
import { readArtefacts } from "../../src/artefacts/files.ts";
import { ROOT, text } from "../packaging/files.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runGleaner } from "../support/process.ts";
import { BAD_CASES } from "./bad-cases.ts";

const FOLDER = join(import.meta.dirname, "good");
const shown = (part: string) => part.replaceAll(/\s+/g, " ").trim().slice(0, 50) || "nothing";
const GOOD = readArtefacts(FOLDER);

describe("the validator of artefacts", () => {
  it("finds nothing wrong with a good set", () => {
    assert.equal(GOOD.length, 7);
    assert.deepEqual(checkArtefacts(GOOD), []);
  });

  it("finds nothing wrong with the project's own files", () => {
    const files = readArtefacts(ROOT);
    assert.ok(files.length > 20, `${files.length} files`);
    assert.deepEqual(checkArtefacts(files), []);
  });

  for (const { file, change, says } of BAD_CASES)
    it(`names ${shown(change[0])} -> ${shown(change[1])}`, () => {
      const files = GOOD.map((one) => {
        if (one.path !== file) return one;
        assert.ok(one.text.includes(change[0]), "the text to change is there");
        return { ...one, text: one.text.replace(change[0], () => change[1]) };
      });
      const problems = checkArtefacts(files).filter((problem) => problem.startsWith(`${file}:`));
      assert.deepEqual(problems, [`${file}:${says}`]);
    });

  it("has a bad example of each rule for dashboards", () => {
    const shown = new Set(BAD_CASES.map(({ says }) => /\[([\w-]+)\]$/.exec(says)?.[1]));
    assert.deepEqual(
      RULES.map(({ id }) => id).filter((id) => !shown.has(id)),
      [],
    );
  });

  it("says every problem of a folder that cannot be parsed, and throws at nothing", () => {
    const hostile = ["", "[", "null", "7", '{"panels": {}}', "a: &a [*a]", "\u0000", "- - - -"];
    for (const kind of GOOD)
      for (const content of hostile) {
        const problems = checkArtefacts(GOOD.map((one) => (one === kind ? { ...one, text: content } : one)));
        if (!kind.path.endsWith(".md"))
          assert.ok(
            problems.some((line) => line.startsWith(`${kind.path}:`)),
            kind.path,
          );
      }
  });

  it("keeps or excludes with a reason every rule of Grafana's dashboard-linter", () => {
    const LINTER = [
      ...["template-datasource-rule", "template-job-rule", "template-instance-rule", "template-label-promql-rule"],
      ...["template-on-time-change-reload-rule", "panel-datasource-rule", "panel-title-description-rule"],
      ...["panel-units-rule", "panel-no-targets-rule", "target-logql-rule", "target-logql-auto-rule"],
      ...["target-promql-rule", "target-rate-interval-rule", "target-job-rule", "target-instance-rule"],
      ...["target-counter-agg-rule", "uneditable-dashboard-rule"],
    ];
    const documented = new Map(
      [
        ...text("docs/grafana.md").matchAll(/^\| `([\w-]+-rule|uneditable-dashboard-rule)` \| (kept|left out) \|/gm),
      ].map(([, id = "", what = ""]) => [id, what]),
    );
    const kept = new Set(RULES.map(({ id }) => id));
    assert.deepEqual(
      Object.fromEntries(documented),
      Object.fromEntries(LINTER.map((id) => [id, kept.has(id) ? "kept" : "left out"])),
    );
  });
});

describe("gleaner check --artefacts", () => {
  it("ends with 0 where all is right", async () => {
    const { code, stdout } = await runGleaner(["check", "--artefacts", FOLDER], { cwd: ROOT });
    assert.deepEqual({ code, stdout }, { code: 0, stdout: "ok      7 files\n" });
  });

  it("prints a line for each problem, and ends with 1", async () => {
    using folder = temporaryFolder();
    cpSync(FOLDER, folder.path, { recursive: true });
    folder.write(
      "dashboards/kit.json",
      text("test/artefacts/good/dashboards/kit.json").replace('"refresh": 2', '"refresh": 1'),
    );
    const { code, stdout, stderr } = await runGleaner(["check", "--artefacts"], { cwd: folder.path });
    assert.equal(code, 1);
    assert.match(stdout, /^dashboards\/kit\.json:\d+:\d+ templating\.list\[1\]\.refresh: expected 2: .+\n$/);
    assert.equal(stderr, "1 problem in 7 files.\n");
  });

  it("ends with 1 where there is nothing to check", async () => {
    using folder = temporaryFolder();
    const { code, stderr } = await runGleaner(["check", "--artefacts", folder.path], { cwd: ROOT });
    assert.equal(code, 1);
    assert.match(stderr, /there is neither dashboards\/ nor provisioning\//);
  });
});
