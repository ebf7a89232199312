import type { AgentEvent } from "@mainstay/api";
import type { ServerResponse } from "node:http";

/**
 * A listener that lets this much pile up is hung up on: it can ask for the observed state when it returns.
 */
const MAX_BACKLOG_BYTES = 1024 * 1024;

export interface Events {
  emit(type: AgentEvent["type"], subject: string, data?: Record<string, unknown>): void;
  /** Streams events to a response, one JSON document a line, until the client hangs up. */
  stream(response: ServerResponse): void;
}

export function createEvents(now: () => Date): Events {
  const listeners = new Set<ServerResponse>();
  return {
    emit(type, subject, data = {}) {
      const event: AgentEvent = { at: now().toISOString(), type, subject, data };
      const line = `${JSON.stringify(event)}\n`;
      for (const listener of listeners) {
        listener.write(line);
        if (listener.writableLength > MAX_BACKLOG_BYTES) listener.destroy();
      }
    },
    stream(response) {
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      response.flushHeaders();
      listeners.add(response);
      response.once("close", () => listeners.delete(response));
    },
  };
}
