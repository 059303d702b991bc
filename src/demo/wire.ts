/** An answer before it is bytes. `headers` are those after Server and Date, in order. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Text is ASCII, as kits write it. */
  readonly body: string | Buffer;
}

/** What Python's http.server calls itself on a kit. */
const SERVER = "BaseHTTP/0.6 Python/3.11.2";

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** 200 or an error with a JSON body. */
export function json(status: number, body: string): Answer {
  const headers = [
    ["Content-Type", "application/json"],
    ["Content-Length", String(body.length)],
  ] as const;
  return { status, reason: REASONS[status] ?? "OK", headers, body };
}

/** A kit refuses the 101st request of a minute without a Content-Length, and always asks for the same wait. */
export const RATE_LIMITED: Answer = {
  status: 429,
  reason: REASONS[429] as string,
  headers: [
    ["Content-Type", "application/json"],
    ["Retry-After", "60"],
  ],
  body: '{"error": "rate limit exceeded"}',
};

/** Unknown paths: no body and no header but the server's own. */
export const NOT_FOUND: Answer = { status: 404, reason: "Not Found", headers: [], body: "" };

/** Methods other than GET get the error page of Python's http.server; HEAD its headers only. */
export function unsupported(method: string): Answer {
  const page = errorPage(501, `Unsupported method ('${method}')`, "Server does not support this operation");
  return { ...page, body: method === "HEAD" ? "" : page.body };
}

/** An error page exactly as http.server writes it. */
function errorPage(status: number, message: string, explain: string): Answer {
  const safe = message.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const body = `<!DOCTYPE HTML>
<html lang="en">
    <head>
        <meta charset="utf-8">
        <title>Error response</title>
    </head>
    <body>
        <h1>Error response</h1>
        <p>Error code: ${status}</p>
        <p>Message: ${safe}.</p>
        <p>Error code explanation: ${status} - ${explain}.</p>
    </body>
</html>
`;
  const headers = [
    ["Connection", "close"],
    ["Content-Type", "text/html;charset=utf-8"],
    ["Content-Length", String(body.length)],
  ] as const;
  return { status, reason: message, headers, body };
}

/** The status line and headers of an answer given at `now` (ms), blank line included. */
export function head(answer: Answer, now: number): string {
  let text = `HTTP/1.0 ${answer.status} ${answer.reason}\r\nServer: ${SERVER}\r\nDate: ${new Date(now).toUTCString()}\r\n`;
  for (const [name, value] of answer.headers) text += `${name}: ${value}\r\n`;
  return `${text}\r\n`;
}

/** Method and path of a request whose headers are complete; undefined while they are not. */
export function parseRequest(text: string): { readonly method: string; readonly path: string } | undefined {
  if (!text.includes("\r\n\r\n")) return undefined;
  const [method = "", path = ""] = text.slice(0, text.indexOf("\r\n")).split(" ");
  return { method, path };
}
