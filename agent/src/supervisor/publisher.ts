import type { WorkerRouting } from "../proxy/worker-protocol.ts";
import type { RoutingContent } from "./routing.ts";

export interface Publisher {
  /** Brings the workers what routing is now; resolves when it is saved and in force at all of them. */
  publish(): Promise<void>;
}

interface PublisherOptions {
  content: () => RoutingContent;
  cookieKey: string;
  firstRevision: number;
  push: (routing: WorkerRouting) => Promise<void>;
  save: (routing: WorkerRouting) => Promise<void>;
}

/** Numbers routing tables, and pushes and saves each that differs from the one before. */
export function createPublisher({
  content,
  cookieKey,
  firstRevision,
  push,
  save,
}: PublisherOptions): Publisher {
  let revision = firstRevision;
  let published = "";
  let newest: Promise<void> = Promise.resolve();

  return {
    publish() {
      const next = content();
      const text = JSON.stringify(next);
      if (text === published) return newest;
      published = text;
      const routing = { revision, cookieKey, ...next };
      revision += 1;
      // Saved as well before it counts as in force: a worker that starts just now reads the file.
      newest = Promise.all([push(routing), save(routing)]).then(() => undefined);
      return newest;
    },
  };
}
