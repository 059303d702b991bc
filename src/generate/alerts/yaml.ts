import { stringify } from "yaml";

/** YAML text of a value under a comment. Lines are never folded: a query stays one line, which can be searched for. */
export function yamlFile(comment: string, value: unknown): string {
  const lines = comment.split("\n").map((line) => `# ${line}`.trimEnd());
  return `${lines.join("\n")}\n${stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}
