import {
  agentEvent,
  AppError,
  counters,
  journalEntry,
  observedState,
  type AgentEvent,
  type Counters,
  type DesiredState,
  type JournalEntry,
  type ObservedState,
} from "@mainstay/api";
import { createInterface } from "node:readline";
import type { IncomingMessage } from "node:http";
import { createUnixClient, type UnixAnswer } from "./system/unix-client.ts";

export interface AgentClient {
  /**
   * The state after applying; when the agent knows a later generation it is left as it is and told instead.
   */
  putDesired(desired: DesiredState): Promise<ObservedState>;
  observed(): Promise<ObservedState>;
  counters(): Promise<Counters>;
  journal(after: number): Promise<JournalEntry[]>;
  /** Ends when the signal does; throws when the agent goes away. */
  events(signal: AbortSignal): AsyncIterable<AgentEvent>;
  /** Ends at the end of the log, or with the signal when it follows. */
  logs(
    instance: string,
    query: { tail: number; follow: boolean; signal?: AbortSignal },
  ): AsyncIterable<string>;
  close(): void;
}

/** Speaks to the agent of this machine. Every method throws AGENT_UNREACHABLE when it does not answer. */
export function createAgentClient({ socketPath }: { socketPath: string }): AgentClient {
  const client = createUnixClient(socketPath);

  async function call(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await client.call(method, path, body === undefined ? {} : { body }).catch(unreachable);
    return expectOk(answer);
  }

  async function open(path: string, signal?: AbortSignal): Promise<IncomingMessage> {
    const response = await client.open(path, signal).catch(unreachable);
    if (response.statusCode === 200) return response;
    response.resume();
    throw refused(response.statusCode ?? 0, path);
  }

  return {
    putDesired: async (desired) => observedState.parse(await call("PUT", "/v1/desired", desired)),
    observed: async () => observedState.parse(await call("GET", "/v1/observed")),
    counters: async () => counters.parse(await call("GET", "/v1/counters")),
    async journal(after) {
      const answer = (await call("GET", `/v1/journal?after=${after}`)) as { entries: unknown[] };
      return answer.entries.map((each) => journalEntry.parse(each));
    },
    async *events(signal) {
      const response = await open("/v1/events", signal);
      for await (const line of linesOf(response, signal)) yield agentEvent.parse(JSON.parse(line));
    },
    async *logs(instance, { tail, follow, signal }) {
      const path = `/v1/instances/${encodeURIComponent(instance)}/logs?tail=${tail}&follow=${follow ? 1 : 0}`;
      yield* linesOf(await open(path, signal), signal);
    },
    close: client.close,
  };
}

async function* linesOf(response: IncomingMessage, signal?: AbortSignal): AsyncIterable<string> {
  const failed = new Promise<never>((_, reject) => response.once("error", reject));
  failed.catch(() => {});
  try {
    yield* createInterface({ input: response, crlfDelay: Infinity });
    if (!response.complete) await failed;
  } catch (error) {
    if (!signal?.aborted) unreachable(error);
  } finally {
    response.destroy();
  }
}

function expectOk({ status, body }: UnixAnswer): unknown {
  if (status === 200 || status === 409) return body;
  const title =
    typeof body === "object" && body !== null && "title" in body ? String(body.title) : `status ${status}`;
  throw refused(status, title);
}

function refused(status: number, reason: string): AppError {
  if (status === 404) return new AppError("NOT_FOUND", { what: reason });
  return new AppError("AGENT_REFUSED", { reason });
}

function unreachable(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw new AppError("AGENT_UNREACHABLE", { reason }, { cause: error });
}
