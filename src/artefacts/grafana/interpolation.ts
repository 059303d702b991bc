import type { Path } from "../../config/problem.ts";
import { type Finding, textsIn } from "../document.ts";

/** Grafana's own references in provisioning files; all others that os.ExpandEnv takes are traps. */
const REFERENCE = /\$\$|\$__(?:env|file|vault)\{[^}]*\}|\$\{[A-Za-z_]\w*\}/g;

/**
 * Dollar signs that Grafana would take for a variable, and replace with nothing where there is none of that name:
 * in labels, names and the settings of contact points and data sources.
 */
export function expandedTexts(value: unknown, path: Path): Finding[] {
  return [...textsIn(value, path)].flatMap(({ path, text }) =>
    text.replaceAll(REFERENCE, "").includes("$")
      ? [{ path, message: `Grafana expands this dollar sign: expected $$ for the sign, \${NAME} for a variable` }]
      : [],
  );
}

/** Annotations are expanded only at `${NAME}`: there `$labels` is what it seems, and `$$labels` two dollar signs. */
export function annotationTexts(value: unknown, path: Path): Finding[] {
  return [...textsIn(value, path)].flatMap(({ path, text }) => [
    ...(/\$\$\w/.test(text) ? [{ path, message: "expected one dollar sign: annotations are not expanded" }] : []),
    ...(/\$\{\w+\}/.test(text) ? [{ path, message: "Grafana puts an environment variable in here" }] : []),
  ]);
}
