/** A piece of PromQL: a word (name, number, duration, variable), a text in quotes, or a sign. */
interface Token {
  readonly kind: "word" | "text" | "sign";
  readonly value: string;
}

const TOKEN =
  /(?<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|(?<comment>#[^\n]*)|(?<word>\$\{[^}]*\}|[\w$:.]+)|(?<sign>=~|!~|!=|==|<=|>=|[^\s])/g;

function tokensOf(expr: string): Token[] {
  return [...expr.matchAll(TOKEN)].flatMap(({ groups = {} }): Token[] => {
    const { text, word, sign } = groups;
    if (text !== undefined) return [{ kind: "text", value: text }];
    if (word !== undefined) return [{ kind: "word", value: word }];
    return sign === undefined ? [] : [{ kind: "sign", value: sign }];
  });
}

/** A metric in an expression, with what is around it. */
export interface Selector {
  readonly metric: string;
  /** Calls it is in, outermost first; parentheses alone are "". */
  readonly calls: readonly string[];
  /** What is in the brackets after it, such as `$__rate_interval`. */
  readonly range: string | undefined;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

/** Words that are followed by a list of labels in parentheses, or stand between two expressions. */
const LABEL_LISTS = ["by", "without", "on", "ignoring", "group_left", "group_right"];
const OPERATORS = ["and", "or", "unless", "offset", "bool", "atan2", "inf", "nan", "start", "end"];
const COMPARISONS = ["==", "!=", "<", ">", "<=", ">="];

/** The metrics that an expression reads. Enough PromQL for the rules here; promtool has the whole grammar. */
export function selectorsOf(expr: string): Selector[] {
  const tokens = tokensOf(expr);
  const calls: string[] = [];
  const found: Selector[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const { kind, value } = tokens[i] as Token;
    const next = tokens[i + 1]?.value;
    if (kind === "sign" && value === "(") calls.push("");
    if (kind === "sign" && value === ")") calls.pop();
    if (kind === "sign" && value === "[") i = closing(tokens, i, "]");
    if (kind === "sign" && value === "{") i = closing(tokens, i, "}");
    if (kind !== "word") continue;
    if (LABEL_LISTS.includes(value) && next === "(") i = closing(tokens, i + 1, ")");
    else if (next === "(") {
      calls.push(value);
      i++;
    } else if (isMetric(value)) found.push(selectorAt(tokens, i, [...calls]));
  }
  return found;
}

const isMetric = (word: string) =>
  /^[a-zA-Z_:][\w:]*$/.test(word) &&
  !OPERATORS.includes(word.toLowerCase()) &&
  !LABEL_LISTS.includes(word) &&
  !AGGREGATIONS.includes(word);

/** `sum by (kit) (…)`: the name stands before its labels. */
const AGGREGATIONS = [
  ...["sum", "min", "max", "avg", "group", "stddev", "stdvar", "count", "count_values", "bottomk", "topk", "quantile"],
];

function selectorAt(tokens: readonly Token[], at: number, calls: readonly string[]): Selector {
  const metric = tokens[at]?.value ?? "";
  let end = at;
  const matchers: { label: string; operator: string; value: string }[] = [];
  if (tokens[at + 1]?.value === "{") {
    end = closing(tokens, at + 1, "}");
    for (let i = at + 2; i < end; i++) {
      const [label, operator, value] = [tokens[i], tokens[i + 1], tokens[i + 2]];
      if (label?.kind !== "word" || value?.kind !== "text") continue;
      matchers.push({ label: label.value, operator: operator?.value ?? "", value: value.value.slice(1, -1) });
    }
  }
  const hasRange = tokens[end + 1]?.value === "[";
  const inside = tokens.slice(end + 2, closing(tokens, end + 1, "]")).map(({ value }) => value);
  return { metric, calls, range: hasRange ? inside.join("") : undefined, matchers };
}

/** Where the bracket that opens at a token closes; the last token when it does not. */
function closing(tokens: readonly Token[], open: number, bracket: string): number {
  for (let i = open + 1; i < tokens.length; i++)
    if (tokens[i]?.kind === "sign" && tokens[i]?.value === bracket) return i;
  return tokens.length - 1;
}

/** Whether the expression as a whole compares (outside all parentheses), so that it returns nothing where it is false. */
export function comparesAtTop(expr: string): boolean {
  const tokens = tokensOf(expr);
  let depth = 0;
  return tokens.some(({ kind, value }, index) => {
    if (kind !== "sign") return false;
    if ("([{".includes(value)) depth++;
    if (")]}".includes(value)) depth--;
    return depth === 0 && COMPARISONS.includes(value) && tokens[index + 1]?.value !== "bool";
  });
}
