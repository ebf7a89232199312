import type { Ids } from "../ids.ts";
import type { Headers } from "./route.ts";

export const REQUEST_ID_HEADER = "x-request-id";

/** Nothing in it can break out of a log line, a header or a shell. */
const REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** The id that the client or a proxy before us gave the request, if it is one; else a new one. */
export function requestIdOf(headers: Headers, ids: Ids): string {
  const given = headers[REQUEST_ID_HEADER];
  return typeof given === "string" && REQUEST_ID.test(given) ? given : ids.next("req");
}
