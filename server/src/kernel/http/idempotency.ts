import { createHash } from "node:crypto";
import { AppError } from "@mainstay/api";
import type { Actor } from "./authority.ts";
import type { Headers } from "./route.ts";

/** What a request came to, as it is sent again to whoever repeats it. */
export interface StoredAnswer {
  status: number;
  headers: Record<string, string | string[]>;
  body: string;
}

export interface IdempotentRequest {
  actor: string;
  key: string;
  /** Of everything that makes it the same request; stored under a key alone. */
  fingerprint: string;
}

export type IdempotencyState =
  /** Nobody has sent this yet; `attempt` is handed back when it is done. */
  | { state: "begun"; attempt: string }
  | { state: "running" }
  /** The key was used for another request. */
  | { state: "conflict" }
  | { state: "done"; answer: StoredAnswer };

/** Remembers what requests with an Idempotency-Key came to. */
export interface IdempotencyStore {
  begin(request: IdempotentRequest): Promise<IdempotencyState>;
  complete(request: IdempotentRequest, attempt: string, answer: StoredAnswer): Promise<void>;
  /** It came to nothing: the next one with this key begins anew. */
  abandon(request: IdempotentRequest, attempt: string): Promise<void>;
}

const REPLAYED_HEADER = "idempotency-replayed";

const KEY = /^[\x21-\x7e]{1,255}$/;

export interface KeyedRequest {
  actor: Actor;
  method: string;
  /** Path and query. */
  url: string;
  /** As the route's schema understood it. */
  body: unknown;
}

/** The request's Idempotency-Key with what it stands for; null without the header. */
export function readIdempotencyKey(headers: Headers, request: KeyedRequest): IdempotentRequest | null {
  const key = headers["idempotency-key"];
  if (key === undefined) return null;
  if (typeof key !== "string" || !KEY.test(key)) {
    const message = "expected 1 to 255 visible ASCII characters";
    throw new AppError("REQUEST_INVALID", {}, { errors: [{ path: "headers.idempotency-key", message }] });
  }
  const meaning = JSON.stringify([request.method, request.url, request.body]);
  const fingerprint = createHash("sha256").update(meaning).digest("hex");
  return { actor: `${request.actor.type}:${request.actor.id}`, key, fingerprint };
}

/**
 * Does the work once per key and answers repeats with what it came to. Only a success is kept: after a
 * refusal or a failure the same key may be tried again.
 */
export async function once(
  store: IdempotencyStore,
  request: IdempotentRequest,
  work: () => Promise<StoredAnswer>,
): Promise<StoredAnswer> {
  const found = await store.begin(request);
  switch (found.state) {
    case "conflict":
      throw new AppError("IDEMPOTENCY_CONFLICT");
    case "running":
      throw new AppError("IDEMPOTENCY_RUNNING");
    case "done":
      return { ...found.answer, headers: { ...found.answer.headers, [REPLAYED_HEADER]: "true" } };
    case "begun":
      return complete({ store, request, work, attempt: found.attempt });
  }
}

interface Attempt {
  store: IdempotencyStore;
  request: IdempotentRequest;
  work: () => Promise<StoredAnswer>;
  attempt: string;
}

async function complete({ store, request, work, attempt }: Attempt): Promise<StoredAnswer> {
  const answer = await work().catch(async (error: unknown) => {
    // If even that fails, the key is taken for as long as an abandoned request counts as running.
    await store.abandon(request, attempt).catch(() => {});
    throw error;
  });
  await store.complete(request, attempt, answer);
  return answer;
}
