import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { answerUnderWay } from "./connection.ts";
import { problemDocument, REFUSALS, type Refusal } from "./problem.ts";

type ClientError = Error & { code?: string };

/** What a worker does with bytes that are no request: says why in one answer, counts it, and hangs up. */
export function createClientErrorHandler(refused: (reason: string) => void) {
  return (error: ClientError, connection: Duplex): void => {
    const refusal = refusalOf(error);
    // An answer under way would be garbled by another one: it gets out as far as it has come.
    if (refusal && answerUnderWay(connection)?.headersSent)
      return void connection.end(() => connection.destroy());
    if (refusal?.reason && !isIdle(connection)) {
      refused(refusal.reason);
      if (connection.writable) connection.write(answer(refusal), "latin1");
    }
    connection.destroy();
  };
}

/** Null: not a matter of what was sent, but of the connection. */
function refusalOf({ code = "" }: ClientError): Refusal | null {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return REFUSALS.headTimeout;
  if (code === "HPE_HEADER_OVERFLOW") return REFUSALS.headTooLarge;
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") return REFUSALS.bodyTooLarge;
  return code.startsWith("HPE_") ? REFUSALS.malformed : null;
}

/** Opened ahead of need, as browsers do, and never used: nothing was refused. */
function isIdle(connection: Duplex): boolean {
  return "bytesRead" in connection && connection.bytesRead === 0;
}

function answer(refusal: Refusal): string {
  const body = problemDocument(refusal);
  return [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    "connection: close",
    "content-type: application/problem+json",
    `content-length: ${body.length}`,
    "",
    body,
  ].join("\r\n");
}
