import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";

/**
 * The body of a request for one attempt. Reads nothing before it is read itself,
 * so that an attempt that could not connect leaves it whole; when the attempt
 * ends early the rest is read and dropped, so that the connection lives on.
 */
export function createRequestBody(request: IncomingMessage, stalledMs: number): Readable {
  let isReading = false;

  const body = new Readable({
    read() {
      if (!isReading) begin();
      else request.resume();
    },
    destroy(error, done) {
      request.off("data", onData).off("end", onEnd);
      if (isReading) request.resume();
      done(error);
    },
  });

  function begin(): void {
    isReading = true;
    request.setTimeout(stalledMs, () => {
      if (!request.complete) request.destroy();
    });
    request.on("data", onData).once("end", onEnd);
  }

  function onData(chunk: Buffer): void {
    if (!body.push(chunk)) request.pause();
  }

  function onEnd(): void {
    body.push(null);
  }

  return body;
}
