import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { REFUSALS, type Refusal } from "./problem.ts";
import type { ProxyLimits } from "./worker-protocol.ts";

/** Why a body was not read to its end: the client's doing. */
export class BodyRefused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.title);
    this.refusal = refusal;
  }
}

/**
 * The body of a request for one attempt. Reads nothing before it is read itself, so that an attempt
 * that could not connect leaves it whole; when the attempt ends early the rest is read and dropped,
 * so that the connection lives on. Ends with BodyRefused when it grows too large, or when the
 * client sends nothing for too long; while the instance takes nothing the client is not to blame.
 */
export function createRequestBody(
  request: IncomingMessage,
  limits: Pick<ProxyLimits, "bodyBytes" | "bodyTimeoutMs">,
): Readable {
  let isReading = false;
  let bytes = 0;
  let stalled: NodeJS.Timeout | null = null;

  const body = new Readable({
    read() {
      if (!isReading) begin();
      else request.resume();
      awaitMore();
    },
    destroy(error, done) {
      stopWaiting();
      request.off("data", onData).off("end", onEnd);
      if (isReading) request.resume();
      done(error);
    },
  });

  function begin(): void {
    isReading = true;
    request.on("data", onData).once("end", onEnd);
  }

  function awaitMore(): void {
    if (stalled) stalled.refresh();
    else
      stalled = setTimeout(() => body.destroy(new BodyRefused(REFUSALS.bodyTimeout)), limits.bodyTimeoutMs);
  }

  function stopWaiting(): void {
    if (stalled) clearTimeout(stalled);
    stalled = null;
  }

  function onData(chunk: Buffer): void {
    bytes += chunk.length;
    if (bytes > limits.bodyBytes) return void body.destroy(new BodyRefused(REFUSALS.bodyTooLarge));
    if (body.push(chunk)) return awaitMore();
    request.pause();
    stopWaiting();
  }

  function onEnd(): void {
    stopWaiting();
    body.push(null);
  }

  return body;
}
