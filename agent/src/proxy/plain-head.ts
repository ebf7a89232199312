import type { IncomingMessage } from "node:http";
import { addClient, type ClientFacts } from "./client.ts";
import { passedHeaders } from "./headers.ts";

/** RFC 9112, section 3.2.1, without what only undici is asked to judge. */
const PATH = /^\/[\x21-\x7e]*$/;
const NO_NAME = /[^\w!#$%&'*+.^`|~-]/;
const NO_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * The bytes of a GET as an instance gets them; null when any of them could be read as more than it is.
 */
export type WritePlainHead = (path: string, request: IncomingMessage, client: ClientFacts) => string | null;

/** What a connection says of its client is the same with every request to a host, so it is made once. */
export function createPlainHeads(): WritePlainHead {
  const known = new WeakMap<object, { host: string; lines: string | null }>();

  function clientLines(socket: object, client: ClientFacts): string | null {
    // What a trusted proxy says belongs to a single request.
    if (client.said !== null) return linesOfClient(client);
    const last = known.get(socket);
    if (last?.host === client.host) return last.lines;
    const lines = linesOfClient(client);
    known.set(socket, { host: client.host, lines });
    return lines;
  }

  return (path, { rawHeaders, headers, socket }, client) => {
    const passed = plainLines(passedHeaders(rawHeaders, headers));
    const own = clientLines(socket, client);
    if (passed === null || own === null || !PATH.test(path)) return null;
    return `GET ${path} HTTP/1.1\r\nconnection: keep-alive\r\n${passed}${own}\r\n`;
  };
}

function linesOfClient(client: ClientFacts): string | null {
  const list: string[] = [];
  addClient(list, client);
  return plainLines(list);
}

/** A flat list of names and values as lines; null when they would not be what they are. */
export function plainLines(list: readonly string[]): string | null {
  let lines = "";
  // Looked at all at once: one search costs about as much as another, however long the text.
  let names = "";
  let values = "";
  for (let index = 0; index < list.length; index += 2) {
    const name = list[index] ?? "";
    const value = list[index + 1] ?? "";
    if (name === "") return null;
    names += name;
    values += value;
    lines += `${name}: ${value}\r\n`;
  }
  return NO_NAME.test(names) || NO_VALUE.test(values) ? null : lines;
}
