import type { YAMLError } from "yaml";

/** What to say of each error of the parser. Its own messages quote the text, and the text may hold a secret. */
const MESSAGES: Readonly<Record<YAMLError["code"], string>> = {
  ALIAS_PROPS: "an alias (*name) takes no anchor and no tag",
  BAD_ALIAS: "expected an alias (*name) of an anchor (&name) above it",
  BAD_COLLECTION_TYPE: "the tag does not fit what follows it",
  BAD_DIRECTIVE: "expected no % directive here",
  BAD_DQ_ESCAPE: 'unknown escape sequence in "…"; use single quotes for text with backslashes',
  BAD_INDENT: "expected the same indentation as the lines around it",
  BAD_PROP_ORDER: "expected anchor and tag directly before their value",
  BAD_SCALAR_START: "text that begins with this character must be in quotes",
  BLOCK_AS_IMPLICIT_KEY: 'expected one "key: value" on a line; put text with a colon in quotes',
  BLOCK_IN_FLOW: "expected no indented block within [ ] or { }",
  DUPLICATE_KEY: "this key is given already",
  IMPOSSIBLE: "expected YAML",
  KEY_OVER_1024_CHARS: "expected a key of at most 1024 characters",
  MISSING_CHAR: "a character is missing here: a closing quote or bracket, a comma, or the space after a colon",
  MULTILINE_IMPLICIT_KEY: 'expected "key: value"; is a colon missing?',
  MULTIPLE_ANCHORS: "expected one anchor",
  MULTIPLE_DOCS: "expected one document; remove the --- line",
  MULTIPLE_TAGS: "expected one tag",
  NON_STRING_KEY: "expected a plain word as key",
  RESOURCE_EXHAUSTION: "nested too deeply",
  TAB_AS_INDENT: "expected spaces, not tabs, as indentation",
  TAG_RESOLVE_FAILED: "unknown tag (!name); put text that begins with ! in quotes",
  UNEXPECTED_TOKEN: "expected something else here; check quotes, brackets and indentation",
};

/** A sentence about a parser's error that quotes nothing. */
export function syntaxMessage(code: YAMLError["code"]): string {
  return MESSAGES[code] ?? "expected YAML";
}
