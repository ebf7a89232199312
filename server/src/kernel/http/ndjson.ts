import { once } from "node:events";
import type { ServerResponse } from "node:http";

/**
 * Sends each item as a line, at once, and waits while the client reads more slowly than items come. Ends cleanly when
 * the items end or the signal aborts; when the source fails, the connection is cut so that the client can tell.
 */
export async function sendLines(
  response: ServerResponse,
  lines: AsyncIterable<string>,
  signal: AbortSignal,
): Promise<void> {
  response.flushHeaders();
  const iterator = lines[Symbol.asyncIterator]();
  const aborted = onceAborted(signal);
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted.promise]);
      if (next === null || next.done) break;
      if (!response.write(`${next.value}\n`)) await Promise.race([drained(response), aborted.promise]);
    }
    response.end();
  } catch (error) {
    response.destroy();
    throw error;
  } finally {
    aborted.forget();
    // The source may be waiting for something: it learns of the end by the signal, and nobody waits for it here.
    iterator.return?.(undefined)?.catch(() => {});
  }
}

async function drained(response: ServerResponse): Promise<void> {
  await Promise.race([once(response, "drain"), once(response, "close")]);
}

function onceAborted(signal: AbortSignal): { promise: Promise<null>; forget: () => void } {
  const { promise, resolve } = Promise.withResolvers<null>();
  const onAbort = (): void => resolve(null);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  return { promise, forget: () => signal.removeEventListener("abort", onAbort) };
}
