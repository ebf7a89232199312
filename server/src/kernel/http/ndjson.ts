import { once } from "node:events";
import type { Writable } from "node:stream";

/** A response, as far as lines are concerned. */
export type LineSink = Writable & { flushHeaders(): void };

/**
 * Sends each item as a line, at once, and waits while the client reads more slowly than items come. Ends
 * cleanly when the items end or the signal aborts; when the source fails, the connection is cut so that the
 * client can tell.
 */
export async function sendLines(
  sink: LineSink,
  lines: AsyncIterable<string>,
  signal: AbortSignal,
): Promise<void> {
  sink.flushHeaders();
  const iterator = lines[Symbol.asyncIterator]();
  const aborted = onceAborted(signal);
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted.promise]);
      if (next === null || next.done) break;
      // The signal aborts when the connection is gone, which a "drain" would wait for in vain.
      if (!sink.write(`${next.value}\n`)) await once(sink, "drain", { signal }).catch(() => {});
    }
    sink.end();
  } catch (error) {
    if (signal.aborted) {
      sink.end();
      return;
    }
    sink.destroy();
    throw error;
  } finally {
    aborted.forget();
    // The source may be waiting for something: it learns of the end by the signal, and nobody waits for it
    // here.
    iterator.return?.(undefined)?.catch(() => {});
  }
}

function onceAborted(signal: AbortSignal): { promise: Promise<null>; forget: () => void } {
  const { promise, resolve } = Promise.withResolvers<null>();
  const onAbort = (): void => resolve(null);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  return { promise, forget: () => signal.removeEventListener("abort", onAbort) };
}
