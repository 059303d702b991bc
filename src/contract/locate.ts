const escaped = (text: string): string => text.replaceAll(/[^\w]/g, "\\$&");

/** Where a key is written: as a property, a method or a shorthand, or as a text in a list. */
function patterns(key: string): RegExp[] {
  const word = escaped(key);
  return [
    new RegExp(`(?:^|[\\s{,(])(?:async\\s+)?["']?${word}["']?\\s*[:(]`),
    new RegExp(`(?:^|[\\s{,])${word}\\s*[,}]`),
    new RegExp(`["'\`]${word}["'\`]`),
  ];
}

/**
 * The line of a source text, counted from 1, where what keys lead to is written: each is looked for behind the one before,
 * and from the top where it is not there: declarations may stand in constants of their own. The text is only read;
 * a key that is written nowhere is where the one before it is.
 */
export function lineOf(source: string, at: readonly string[]): number {
  const lines = source.split("\n");
  const isComment = (line: string) => /^\s*(\/\/|\/?\*)/.test(line);
  const find = (key: string, line: number): number | undefined => {
    for (const pattern of patterns(key)) {
      const places = lines.flatMap((text, index) => (!isComment(text) && pattern.test(text) ? [index] : []));
      if (places.length > 0) return places.find((place) => place >= line) ?? places[0];
    }
    return undefined;
  };
  const last = at.reduce((line, key) => find(key, line) ?? line, 0);
  return last + 1;
}
