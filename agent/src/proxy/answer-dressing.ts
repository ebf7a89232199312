import type { IncomingMessage, ServerResponse } from "node:http";
import { createCompressor } from "./compression.ts";
import type { Edge } from "./edge.ts";
import { addHeader, headerOf } from "./header-list.ts";
import type { WorkerService } from "./worker-protocol.ts";

/** What a service wants done to its answers. */
export type AnswerSettings = NonNullable<WorkerService["answers"]>;

export const DEFAULT_ANSWERS: AnswerSettings = { compression: true, securityHeaders: false };

export interface AnswerHead {
  request: IncomingMessage;
  response: ServerResponse;
  settings: AnswerSettings;
  status: number;
  /** Names in lower case and values, flat; altered here. */
  headers: string[];
}

/** Makes an answer of a service what it is to be on its way out, before its head is written. */
export type DressAnswer = (head: AnswerHead) => void;

/** Adds HSTS and, where a service wants them, security headers; compresses what can be. */
export function createDressing(edge: Pick<Edge, "strictTransport">): DressAnswer {
  const compressor = createCompressor();
  return (head) => {
    const { request, settings, headers } = head;
    const strict = edge.strictTransport(request, request.headers.host ?? "");
    if (strict !== null) addHeader(headers, "strict-transport-security", strict);
    if (settings.securityHeaders) addSecurityHeaders(headers);
    if (settings.compression) compressor.apply(head);
  };
}

/**
 * https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html, without what needs knowledge.
 */
function addSecurityHeaders(headers: string[]): void {
  addHeader(headers, "x-content-type-options", "nosniff");
  addHeader(headers, "referrer-policy", "strict-origin-when-cross-origin");
  const policy = headerOf(headers, "content-security-policy") ?? "";
  // frame-ancestors says the same and more, and goes before (CSP 3, section 6.4.2).
  if (!/\bframe-ancestors\b/i.test(policy)) addHeader(headers, "x-frame-options", "SAMEORIGIN");
}
