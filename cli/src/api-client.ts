import { setTimeout as delay } from "node:timers/promises";
import { AppError, ERRORS, type ErrorCode, type FieldError } from "@mainstay/api";

/** A server that restarts is away for a moment; commands wait that long before they give up. */
const PATIENCE_MS = 10_000;
const RETRY_MS = 250;

export interface ApiClient {
  url: string;
  get<Answer>(path: string): Promise<Answer>;
  post<Answer>(path: string, body?: unknown): Promise<Answer>;
  /** Newline-delimited JSON, item by item, until the server ends it. */
  stream<Item>(path: string, signal?: AbortSignal): AsyncIterable<Item>;
}

export interface ApiClientOptions {
  url: string;
  token: string | null;
  patienceMs?: number;
}

/** The native API, as every command uses it. Problem documents become AppErrors with the server's words. */
export function createApiClient({ url, token, patienceMs = PATIENCE_MS }: ApiClientOptions): ApiClient {
  async function send(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (token) headers.set("authorization", `Bearer ${token}`);
    const response = await patiently(`${url}/api/v1${path}`, { ...init, headers });
    if (response.ok) return response;
    throw await problemOf(response);
  }

  async function patiently(address: string, init: RequestInit): Promise<Response> {
    for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
      try {
        return await fetch(address, init);
      } catch (error) {
        if (init.signal?.aborted) throw error;
        if (waitedMs >= patienceMs) throw new AppError("SERVER_UNREACHABLE", { url }, { cause: error });
        await delay(RETRY_MS);
      }
    }
  }

  async function* chunks(path: string, signal?: AbortSignal): AsyncIterable<string> {
    const response = await send(path, signal ? { signal } : {});
    const decoder = new TextDecoder();
    if (!response.body) return;
    for await (const chunk of response.body) yield decoder.decode(chunk, { stream: true });
  }

  return {
    url,
    async get<Answer>(path: string) {
      return (await (await send(path, {})).json()) as Answer;
    },
    async post<Answer>(path: string, body: unknown = {}) {
      // The same key on every attempt: a request whose answer was lost is not carried out twice.
      const headers = { "content-type": "application/json", "idempotency-key": crypto.randomUUID() };
      return (await (
        await send(path, { method: "POST", headers, body: JSON.stringify(body) })
      ).json()) as Answer;
    },
    async *stream<Item>(path: string, signal?: AbortSignal) {
      let rest = "";
      for await (const chunk of chunks(path, signal)) {
        const parts = (rest + chunk).split("\n");
        rest = parts.pop() ?? "";
        for (const line of parts) if (line.trim() !== "") yield JSON.parse(line) as Item;
      }
    },
  };
}

interface ProblemDocument {
  code?: string;
  detail?: string;
  title?: string;
  remedy?: string;
  errors?: FieldError[];
}

/** The server's own words, whatever version of the catalogue it has. */
async function problemOf(response: Response): Promise<Error> {
  const problem = (await response.json().catch(() => ({}))) as ProblemDocument;
  const code = problem.code && problem.code in ERRORS ? (problem.code as ErrorCode) : "INTERNAL";
  const error = new AppError(code, {}, { errors: problem.errors ?? [] });
  const message = problem.detail ?? problem.title ?? `HTTP ${response.status}`;
  return Object.defineProperties(error, {
    message: { value: message },
    remedy: { value: problem.remedy ?? error.remedy },
  });
}
