import { setTimeout as delay } from "node:timers/promises";
import { AppError, ERRORS, type ErrorCode, type FieldError } from "@mainstay/api/plain";

/** A server that restarts is away for a moment; commands wait that long before they give up. */
const PATIENCE_MS = 10_000;
const RETRY_MS = 250;
/** What a POST is answered while its work goes on: it was too long for one request, or is repeated. */
const UNDER_WAY = new Set<string>(["REQUEST_TIMEOUT", "IDEMPOTENCY_RUNNING"]);
const DONE_LOOK_MS = 1_000;
const DONE_PATIENCE_MS = 10 * 60_000;

export interface ApiClient {
  url: string;
  get<Answer>(path: string): Promise<Answer>;
  post<Answer>(path: string, body?: unknown): Promise<Answer>;
  /** Any other request; answers the document, or null without one. */
  send(method: "DELETE" | "PATCH" | "POST", path: string, body?: unknown): Promise<unknown>;
  remove<Answer>(path: string): Promise<Answer>;
  /** One attempt, whatever comes of it: a connection that breaks is a TypeError. */
  attempt(path: string, init: RequestInit): Promise<Response>;
  /** A file that the server has beside the API, as it is; null where there is none. */
  file(path: string): Promise<Uint8Array | null>;
  /** What an address beside the native API answers, whatever its status. */
  plain(path: string, init?: RequestInit): Promise<Response>;
  /** Newline-delimited JSON, item by item, until the server ends it. */
  stream<Item>(path: string, signal?: AbortSignal): AsyncIterable<Item>;
}

export interface ApiClientOptions {
  url: string;
  token: string | null;
  patienceMs?: number;
  /**
   * Asked when the server wants a second factor confirmed: answers the session's
   * new token, or null when nobody can be asked. The request is sent again then.
   */
  stepUp?: (() => Promise<string | null>) | undefined;
}

/** By this the list of sessions tells what was used. */
const USER_AGENT = `mainstay/cli (${process.platform})`;

/** The native API, as every command uses it. Problem documents become AppErrors with the server's words. */
export function createApiClient(options: ApiClientOptions): ApiClient {
  const { url, patienceMs = PATIENCE_MS, stepUp } = options;
  let { token } = options;
  const attempt = (path: string, init: RequestInit) => ask(`/api/v1${path}`, init);

  function fetchFrom(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("user-agent", USER_AGENT);
    if (token) headers.set("authorization", `Bearer ${token}`);
    return fetch(`${url}${path}`, { ...init, headers });
  }

  async function ask(path: string, init: RequestInit): Promise<Response> {
    const response = await fetchFrom(path, init);
    if (response.ok) return response;
    throw await problemOf(response);
  }

  async function plain(path: string, init: RequestInit = {}): Promise<Response> {
    try {
      return await fetchFrom(path, init);
    } catch (error) {
      throw new AppError("SERVER_UNREACHABLE", { url }, { cause: error });
    }
  }

  async function file(path: string): Promise<Uint8Array | null> {
    try {
      return new Uint8Array(await (await ask(path, {})).arrayBuffer());
    } catch (error) {
      if (error instanceof AppError && error.code === "NOT_FOUND") return null;
      if (error instanceof AppError) throw error;
      throw new AppError("SERVER_UNREACHABLE", { url }, { cause: error });
    }
  }

  /** As attempt; what needs a second factor is sent again once that was confirmed. */
  async function attemptConfirmed(path: string, init: RequestInit): Promise<Response> {
    try {
      return await attempt(path, init);
    } catch (error) {
      if (!stepUp || !(error instanceof AppError) || error.code !== "STEP_UP_REQUIRED") throw error;
      const renewed = await stepUp();
      if (renewed === null) throw error;
      token = renewed;
      return attempt(path, init);
    }
  }

  async function send(path: string, init: RequestInit): Promise<Response> {
    for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
      try {
        return await attemptConfirmed(path, init);
      } catch (error) {
        if (error instanceof AppError || init.signal?.aborted) throw error;
        if (waitedMs >= patienceMs) throw new AppError("SERVER_UNREACHABLE", { url }, { cause: error });
        await delay(RETRY_MS);
      }
    }
  }

  /**
   * With an idempotency key: what takes the server longer than a request may, is asked for until it is done.
   */
  async function sendUntilDone(path: string, init: RequestInit): Promise<Response> {
    for (let waitedMs = 0; ; waitedMs += DONE_LOOK_MS) {
      try {
        return await send(path, init);
      } catch (error) {
        const isUnderWay = error instanceof AppError && UNDER_WAY.has(error.code);
        if (!isUnderWay || waitedMs >= DONE_PATIENCE_MS) throw error;
        await delay(DONE_LOOK_MS);
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
      const response = await sendUntilDone(path, { method: "POST", headers, body: JSON.stringify(body) });
      return (await response.json()) as Answer;
    },
    async send(method, path, body) {
      const headers = body === undefined ? {} : { "content-type": "application/json" };
      const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      const text = await (await send(path, init)).text();
      return text === "" ? null : JSON.parse(text);
    },
    async remove<Answer>(path: string) {
      return (await (await send(path, { method: "DELETE" })).json()) as Answer;
    },
    attempt,
    file,
    plain,
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

/** The server's own words as an error, whatever version of the catalogue it has. */
export async function problemOf(response: Response): Promise<Error> {
  const problem = (await response.json().catch(() => ({}))) as ProblemDocument;
  const code = problem.code && problem.code in ERRORS ? (problem.code as ErrorCode) : "INTERNAL";
  const error = new AppError(code, {}, { errors: problem.errors ?? [] });
  const message = problem.detail ?? problem.title ?? `HTTP ${response.status} from ${response.url}`;
  return Object.defineProperties(error, {
    message: { value: message },
    remedy: { value: problem.remedy ?? error.remedy },
  });
}
