import type { IncomingMessage, ServerResponse } from "node:http";
import { problemDocument } from "./problem.ts";

const TITLE = "This service is under maintenance and will be back soon";
const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Under maintenance</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto; padding: 0 1rem }
</style>
<h1>Under maintenance</h1>
<p>${TITLE}.</p>
</html>
`;

/**
 * 503 with the time to come back at (RFC 9110, section 10.2.3): a page for browsers, else a problem document.
 */
export function answerMaintenance(
  request: IncomingMessage,
  response: ServerResponse,
  { retryAfterMs }: { retryAfterMs: number },
): void {
  const isForPeople = /\btext\/html\b/i.test(request.headers.accept ?? "");
  const body = isForPeople ? PAGE : problemDocument({ status: 503, title: TITLE });
  response.writeHead(503, {
    "content-type": isForPeople ? "text/html; charset=utf-8" : "application/problem+json",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "retry-after": String(Math.ceil(retryAfterMs / 1000)),
    vary: "accept",
  });
  response.end(body);
}
