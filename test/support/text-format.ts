import { identity, type ParsedSample, parseSampleLine } from "./sample-line.ts";

export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

/**
 * An independent parser of Prometheus' text format 0.0.4 as gleaner writes it: every family has HELP and TYPE, before its
 * samples and once, in one block; no series twice. Throws with the line's number.
 */
export function parseText(body: Buffer): ParsedFamily[] {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, { name: string; type: string; help: string; samples: ParsedSample[] }>();
  const seen = new Set<string>();
  let current: { name: string; type: string; help: string; samples: ParsedSample[] } | undefined;
  text
    .split("\n")
    .slice(0, -1)
    .forEach((line, index) => {
      try {
        if (line.startsWith("# HELP ")) {
          const [, name = "", help = ""] = /^# HELP (\S+) (.*)$/su.exec(line) ?? [];
          if (families.has(name)) throw new Error(`second HELP for ${name}`);
          current = { name, type: "", help: unescapeHelp(help), samples: [] };
          families.set(name, current);
        } else if (line.startsWith("# TYPE ")) {
          const [, name, type = ""] = /^# TYPE (\S+) (gauge|counter|histogram)$/.exec(line) ?? [];
          if (current === undefined || current.name !== name || current.type !== "")
            throw new Error("TYPE out of place");
          current.type = type;
        } else {
          const sample = parseSampleLine(line);
          if (!current || current.type === "" || !belongs(current.name, current.type, sample.name)) {
            throw new Error(`${sample.name} outside its family`);
          }
          const id = identity(sample);
          if (seen.has(id)) throw new Error(`series twice: ${id}`);
          seen.add(id);
          current.samples.push(sample);
        }
      } catch (cause) {
        throw new Error(`line ${index + 1}: ${(cause as Error).message}: ${line}`, { cause });
      }
    });
  return [...families.values()];
}

function belongs(family: string, type: string, sample: string): boolean {
  if (type !== "histogram") return sample === family;
  return ["_bucket", "_sum", "_count"].some((suffix) => sample === family + suffix);
}

/** In text 0.0.4 only backslash and newline are escaped in HELP; a quote stands for itself. */
function unescapeHelp(help: string): string {
  return help.replace(/\\(.?)/gs, (_all, char: string) => {
    if (char === "n") return "\n";
    if (char === "\\") return char;
    throw new Error(`bad escape in HELP \\${char}`);
  });
}
