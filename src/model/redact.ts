/** `http://user:secret@host/` -> `http://***@host/`. */
export function redactUrls(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@]{1,300}@/gi, "$1***@");
}
