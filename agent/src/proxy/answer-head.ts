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

/** RFC 9112, section 4. */
const STATUS_LINE = /HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n/y;
/** RFC 9112, section 5: no line folding, no space before the colon, no lone CR or LF. */
const FIELD = /([\w!#$%&'*+.^`|~-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)\r\n/y;
const LENGTH = /^\d{1,15}$/;

/** Reads a head up to and with the end of its last line; null when it is not valid. */
export function parseAnswerHead(text: string): AnswerHead | null {
  STATUS_LINE.lastIndex = 0;
  const line = STATUS_LINE.exec(text);
  if (!line) return null;
  const head: AnswerHead = {
    status: Number(line[2]),
    reason: line[3] ?? "",
    headers: [],
    bodyBytes: null,
    isChunked: false,
    isKeptAlive: true,
    keepAliveSeconds: null,
  };
  const connection = readFields(text, STATUS_LINE.lastIndex, head);
  if (connection === null || (head.isChunked && head.bodyBytes !== null)) return null;
  applyConnection(head, connection, line[1] === "1");
  return head;
}

/** Whether lines of trailing fields are what they should be; what they say is dropped. */
export function isFieldLine(text: string): boolean {
  FIELD.lastIndex = 0;
  return FIELD.test(text) && FIELD.lastIndex === text.length;
}

/** Fills in the head; returns the value of Connection, or null when a field is not valid. */
function readFields(text: string, start: number, head: AnswerHead): string | null {
  let connection = "";
  let at = start;
  while (at < text.length) {
    FIELD.lastIndex = at;
    const field = FIELD.exec(text);
    if (!field) return null;
    at = FIELD.lastIndex;
    const name = (field[1] ?? "").toLowerCase();
    const value = trimEnd(field[2] ?? "");
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
  const named = connection === "" ? [] : connection.toLowerCase().split(/[\t ]*,[\t ]*/);
  // Chunks are no part of HTTP/1.0: who sends them cannot be trusted with where they end (section 6.1).
  head.isKeptAlive = isHttp11 ? !named.includes("close") : named.includes("keep-alive") && !head.isChunked;
  if (named.every((each) => each === "" || each === "close" || each === "keep-alive")) return;
  head.headers = head.headers.filter((_, index, all) => !named.includes(all[index - (index % 2)] ?? ""));
}

function trimEnd(value: string): string {
  const last = value.charCodeAt(value.length - 1);
  return last === 0x20 || last === 0x09 ? value.trimEnd() : value;
}
