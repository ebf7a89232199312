import {
  agentEvent,
  agentMetrics,
  AppError,
  counters,
  journalEntry,
  observedState,
  type AgentEvent,
  type AgentMetrics,
  type Challenge,
  type Counters,
  type DesiredState,
  type HttpsSettings,
  type JournalEntry,
  type ObservedState,
} from "@mainstay/api";
import type { IncomingMessage } from "node:http";
import { createUnixClient, type UnixAnswer } from "./system/unix-client.ts";

export interface AgentClient {
  /**
   * The state after applying; when the agent knows a later generation it is left as it is and told instead.
   */
  putDesired(desired: DesiredState): Promise<ObservedState>;
  /** Certificates and what goes with them; resolves when every proxy worker that answers has them. */
  putHttps(settings: HttpsSettings): Promise<void>;
  /** All that certificate authorities ask for just now; likewise. */
  putChallenges(challenges: Challenge[]): Promise<void>;
  /**
   * The image's name with its digest, once it is on that machine, however long that takes. Throws
   * CONTAINER_ENGINE when there is none to ask, IMAGE_UNAVAILABLE when it cannot get it.
   */
  resolveImage(image: string): Promise<string>;
  /** Removes images that no container uses; answers which. */
  removeImages(images: readonly string[]): Promise<string[]>;
  observed(): Promise<ObservedState>;
  counters(): Promise<Counters>;
  /** Figures of its machine and of the instances. */
  metrics(): Promise<AgentMetrics>;
  journal(after: number): Promise<JournalEntry[]>;
  /** Ends when the signal does; throws when the agent goes away. */
  events(signal: AbortSignal): AsyncIterable<AgentEvent>;
  /** Ends at the end of the log, or with the signal when it follows. */
  logs(
    instance: string,
    query: { tail: number; follow: boolean; sinceMs?: number | undefined; signal?: AbortSignal },
  ): AsyncIterable<string>;
  close(): void;
}

/** Longer than the agent itself gives a pull. */
const IMAGE_TIMEOUT_MS = 31 * 60_000;

export interface AgentClientOptions {
  socketPath: string;
  /** What proves that the server calls; without it only `observed` is sure to be answered. */
  token?: () => string;
}

/** Speaks to the agent of this machine. Every method throws AGENT_UNREACHABLE when it does not answer. */
export function createAgentClient({ socketPath, token }: AgentClientOptions): AgentClient {
  const client = createUnixClient(socketPath, () => (token ? { authorization: `Bearer ${token()}` } : {}));

  async function call(request: string, body?: unknown): Promise<unknown> {
    const [method = "GET", path = "/"] = request.split(" ");
    const answer = await client.call(method, path, body === undefined ? {} : { body }).catch(unreachable);
    // 409 carries the observed state as well: a later generation is applied already.
    if (answer.status === 200 || answer.status === 409) return answer.body;
    throw new AppError("AGENT_REFUSED", { reason: titleOf(answer) });
  }

  /** The lines of an endless answer; ends with the signal. */
  async function* lines(path: string, missing: string, signal?: AbortSignal): AsyncIterable<string> {
    try {
      const response = await client.open(path, signal);
      if (response.statusCode === 404) throw new AppError("NOT_FOUND", { what: missing });
      yield* linesOf(response);
    } catch (error) {
      if (signal?.aborted) return;
      if (error instanceof AppError) throw error;
      unreachable(error);
    }
  }

  return {
    putDesired: async (desired) => understand(observedState, await call("PUT /v1/desired", desired)),
    putHttps: async (settings) => void (await call("PUT /v1/https", settings)),
    putChallenges: async (challenges) => void (await call("PUT /v1/challenges", { challenges })),
    async resolveImage(image) {
      const options = { body: { image }, timeoutMs: IMAGE_TIMEOUT_MS };
      const answer = await client.call("POST", "/v1/images", options).catch(unreachable);
      if (answer.status === 200) return String(Object(answer.body).image);
      const reason = titleOf(answer);
      if (answer.status === 503) throw new AppError("CONTAINER_ENGINE", { reason });
      throw new AppError("IMAGE_UNAVAILABLE", { image, reason });
    },
    async removeImages(images) {
      const { removed } = Object(await call("DELETE /v1/images", { images }));
      return Array.isArray(removed) ? removed.map(String) : [];
    },
    observed: async () => understand(observedState, await call("GET /v1/observed")),
    counters: async () => understand(counters, await call("GET /v1/counters")),
    metrics: async () => understand(agentMetrics, await call("GET /v1/metrics")),
    async journal(after) {
      const answer = await call(`GET /v1/journal?after=${after}`);
      return understand(journalEntry.array(), Object(answer).entries);
    },
    async *events(signal) {
      for await (const line of lines("/v1/events", "the agent's events", signal)) {
        yield understand(agentEvent, JSON.parse(line));
      }
    },
    logs(instance, { tail, follow, sinceMs, signal }) {
      const since = sinceMs === undefined ? "" : `&since=${sinceMs}`;
      const query = `tail=${tail}&follow=${follow ? 1 : 0}${since}`;
      const path = `/v1/instances/${encodeURIComponent(instance)}/logs?${query}`;
      return lines(path, `a log of the instance ${instance}`, signal);
    },
    close: client.close,
  };
}

async function* linesOf(response: IncomingMessage): AsyncIterable<string> {
  let rest = "";
  try {
    for await (const chunk of response.setEncoding("utf8")) {
      const parts = (rest + String(chunk)).split("\n");
      rest = parts.pop() ?? "";
      yield* parts;
    }
    if (rest !== "") yield rest;
  } finally {
    response.destroy();
  }
}

interface Schema<Value> {
  safeParse(value: unknown): { success: true; data: Value } | { success: false; error: unknown };
}

function understand<Value>(schema: Schema<Value>, value: unknown): Value {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AppError("AGENT_UNREACHABLE", { reason: "it answers in another form" }, { cause: parsed.error });
}

function titleOf({ status, body }: UnixAnswer): string {
  const isProblem = typeof body === "object" && body !== null && "title" in body;
  return isProblem ? String(body.title) : `status ${status}`;
}

function unreachable(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw new AppError("AGENT_UNREACHABLE", { reason }, { cause: error });
}
