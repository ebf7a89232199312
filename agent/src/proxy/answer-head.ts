/** The head of an instance's answer, as far as the proxy acts on it. */
export interface AnswerHead {
  status: number;
  reason: string;
  /** Names in lower case and values, flat; without those of one connection only. */
  headers: string[];
  /** Of the body; null when its length is not told. */
  bodyBytes: number | null;
  isChunked: boolean;
  /** The instance is willing to take another request on the connection. */
  isKeptAlive: boolean;
  /** How long it says it will (Keep-Alive, RFC 2068, section 19.7.1.1); null when it does not say. */
  keepAliveSeconds: number | null;
}

/** RFC 9112, section 5: no line folding, no space before the colon, no lone CR or LF. */
const FIELDS = "(?:[\\w!#$%&'*+.^`|~-]+:[\\t\\x20-\\x7e\\x80-\\xff]*\\r\\n)*";
/** Section 4. */
const HEAD = new RegExp(`^HTTP/1\\.[01] [1-9][0-9][0-9](?: [\\t\\x20-\\x7e\\x80-\\xff]*)?\\r\\n${FIELDS}$`);
/** Where a body ends is not said behind it (RFC 9110, section 6.5.1). */
const TRAILER = new RegExp(`^(?!content-length:|transfer-encoding:)${FIELDS}$`, "i");
const LENGTH = /^\d{1,15}$/;

/** Reads a head up to and with the end of its last line; null when it is not valid. */
export function parseAnswerHead(text: string): AnswerHead | null {
  // Once it is known to be valid, where things are can be found without looking at every character again.
  if (!HEAD.test(text)) return null;
  const lineEnd = text.indexOf("\r\n");
  const head: AnswerHead = {
    status: Number(text.slice(9, 12)),
    reason: text.slice(13, lineEnd),
    headers: [],
    bodyBytes: null,
    isChunked: false,
    isKeptAlive: true,
    keepAliveSeconds: null,
  };
  const connection = readFields(text, lineEnd + 2, head);
  if (connection === null || (head.isChunked && head.bodyBytes !== null)) return null;
  applyConnection(head, connection, text.startsWith("1", 7));
  return head;
}

/** Whether a line is a trailing field as it should be; what it says is dropped. */
export function isFieldLine(text: string): boolean {
  return TRAILER.test(text);
}

/** Fills in the head; returns the value of Connection, or null when fields do not go together. */
function readFields(text: string, start: number, head: AnswerHead): string | null {
  let connection = "";
  let at = start;
  while (at < text.length) {
    const colon = text.indexOf(":", at);
    const end = text.indexOf("\r\n", colon);
    const name = text.slice(at, colon).toLowerCase();
    const value = trimSpace(text, colon + 1, end);
    at = end + 2;
    if (name === "connection") connection += `${value},`;
    else if (!readField(head, name, value)) return null;
  }
  return connection;
}

/** Where a body ends must be said once and clearly (RFC 9112, section 6.3): false when it is not. */
function readField(head: AnswerHead, name: string, value: string): boolean {
  switch (name) {
    case "content-length":
      if (head.bodyBytes !== null || !LENGTH.test(value)) return false;
      head.bodyBytes = Number(value);
      head.headers.push(name, value);
      return true;
    case "transfer-encoding":
      // Nothing else may be sent to who has not asked for it by TE (section 7.4).
      if (head.isChunked || value.toLowerCase() !== "chunked") return false;
      head.isChunked = true;
      return true;
    case "keep-alive":
      head.keepAliveSeconds = readTimeout(value);
      return true;
    case "proxy-connection":
    case "te":
    case "trailer":
    case "upgrade":
      return true;
    default:
      head.headers.push(name, value);
      return true;
  }
}

function readTimeout(value: string): number | null {
  const seconds = /timeout=(\d{1,9})/.exec(value)?.[1];
  return seconds === undefined ? null : Number(seconds);
}

/** RFC 9112, section 9.3, and fields that are meant for this connection (RFC 9110, section 7.6.1). */
function applyConnection(head: AnswerHead, connection: string, isHttp11: boolean): void {
  if (isHttp11 && (connection === "" || connection === "keep-alive,")) return;
  const named = connection.toLowerCase().split(/[\t ]*,[\t ]*/);
  // Chunks are no part of HTTP/1.0: who sends them cannot be trusted with where they end (section 6.1).
  head.isKeptAlive = isHttp11 ? !named.includes("close") : named.includes("keep-alive") && !head.isChunked;
  if (named.every((each) => each === "" || each === "close" || each === "keep-alive")) return;
  head.headers = head.headers.filter((_, index, all) => !named.includes(all[index - (index % 2)] ?? ""));
}

/** Without the optional whitespace around a value. */
function trimSpace(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isSpace(text.charCodeAt(from))) from += 1;
  while (to > from && isSpace(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
