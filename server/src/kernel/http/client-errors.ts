import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { AppError, PROBLEM_CONTENT_TYPE } from "@mainstay/api";
import type { Ids } from "../ids.ts";
import { toProblem } from "./problems.ts";
import { REQUEST_ID_HEADER } from "./request-id.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";

/**
 * Answers what never became a request: it is not HTTP, too large in its headers, or did not arrive in time.
 */
export function refuseConnection(socket: Socket, error: Error, options: { ids: Ids; limitMs: number }): void {
  const code = "code" in error ? error.code : "";
  if (code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = describe(code, options.limitMs);
  const requestId = options.ids.next("req");
  const body = JSON.stringify(toProblem(refusal, requestId));
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ""}`,
    `content-type: ${PROBLEM_CONTENT_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    ...Object.entries(SECURITY_HEADERS).map(([name, value]) => `${name}: ${value}`),
    `${REQUEST_ID_HEADER}: ${requestId}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

function describe(code: unknown, limitMs: number): AppError {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return new AppError("REQUEST_INCOMPLETE", { limitMs });
  const message = code === "HPE_HEADER_OVERFLOW" ? "the headers are too large" : "this is not HTTP/1.1";
  return new AppError("REQUEST_INVALID", {}, { errors: [{ path: "(request)", message }] });
}
