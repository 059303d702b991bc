/**
 * Takes passwords out of text that is about to be logged, stored or shown: `http://user:secret@host/` becomes
 * `http://***@host/`, `token=secret` becomes `token=***`. Takes time in proportion to the text, whatever that is.
 */
export function redactSecrets(text: string): string {
  return text
    .replaceAll(/([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/]*@/gi, "$1***@")
    .replaceAll(/\b(password|passwd|pwd|token|secret|api_?key)=[^&\s"']+/gi, "$1=***");
}
