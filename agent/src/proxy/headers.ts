import type { IncomingHttpHeaders } from "node:http";
import { addClient, type ClientFacts } from "./client.ts";

/** Headers of one connection only (RFC 9110, section 7.6.1), and those the proxy writes itself. */
const NOT_FORWARDED = new Set([
  "host",
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-real-ip",
]);
const NOT_ANSWERED = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
const NO_NAMES: ReadonlySet<string> = new Set();
const HOST = /^(?:[A-Za-z0-9_.~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** The headers of a client's request as the instance gets them: a flat list of names and values. */
export function forwardedHeaders(raw: string[], headers: IncomingHttpHeaders, client: ClientFacts): string[] {
  const forwarded = passedHeaders(raw, headers);
  addClient(forwarded, client);
  return forwarded;
}

/** Those of them that are passed on as they came. */
export function passedHeaders(raw: string[], headers: IncomingHttpHeaders): string[] {
  const named = namedByConnection(headers.connection);
  const passed: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const lower = name.toLowerCase();
    if (NOT_FORWARDED.has(lower) || named.has(lower)) continue;
    passed.push(name, raw[index + 1] ?? "");
  }
  return passed;
}

/** The headers of an instance's answer as the client gets them. */
export function answeredHeaders(headers: IncomingHttpHeaders): string[] {
  const named = namedByConnection(headers.connection);
  const answered: string[] = [];
  for (const name in headers) {
    if (NOT_ANSWERED.has(name) || named.has(name)) continue;
    const value = headers[name];
    if (typeof value === "string") answered.push(name, value);
    else if (value) for (const each of value) answered.push(name, each);
  }
  return answered;
}

/** Exactly one well-formed Host (RFC 9112, section 3.2); null otherwise. */
export function readHost(raw: string[], host: string | undefined): string | null {
  if (host === undefined || !HOST.test(host)) return null;
  let seen = 0;
  for (let index = 0; index < raw.length; index += 2) {
    if (raw[index]?.length === 4 && raw[index]?.toLowerCase() === "host") seen += 1;
  }
  return seen === 1 ? host : null;
}

/** "Shop.example.com:8080" → "shop.example.com", as routes name it. */
export function hostName(host: string): string {
  const end = host.startsWith("[") ? host.indexOf("]") + 1 : host.indexOf(":");
  return (end > 0 ? host.slice(0, end) : host).toLowerCase();
}

function namedByConnection(connection: string | string[] | undefined): ReadonlySet<string> {
  if (connection === undefined || connection === "keep-alive" || connection === "close") return NO_NAMES;
  return new Set(
    String(connection)
      .toLowerCase()
      .split(",")
      .map((name) => name.trim()),
  );
}
