import {
  AppError,
  describeIssues,
  explain,
  isPermission,
  type FieldError,
  type Permission,
} from "@mainstay/api";
import { Readable } from "node:stream";
import { z } from "zod";
import type { Log } from "../log.ts";
import type { Actor, Authenticated, FoundScope, Scope } from "./authority.ts";

export const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;
export type Method = (typeof METHODS)[number];
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

export interface HttpRequest<Params, Query, Body> {
  params: Params;
  query: Query;
  body: Body;
  /** What arrives, piece by piece, on a route that `takes` bytes; nothing on any other. */
  content: AsyncIterable<Uint8Array>;
  actor: Actor;
  /** What the actor may do, for handlers that answer what may be seen; nothing on a public route. */
  authenticated: Authenticated;
  method: string;
  requestId: string;
  /** Sets headers of the answer, whatever it comes to. */
  announce(headers: Readonly<Record<string, string>>): void;
  /** Of whoever holds the other end of the connection. */
  address: string;
  /** Aborts when nobody waits for the answer any more: hung up, out of time, or the server stops. */
  signal: AbortSignal;
  headers: Headers;
  /** Every line carries the requestId. */
  log: Log;
}

/** A list stands for a header that is sent several times, as Set-Cookie is. */
export type ReplyHeaders = Readonly<Record<string, string | string[]>>;

/** An answer with more than a body; made by `reply`. */
export class Reply<Body> {
  readonly status: number;
  readonly headers: ReplyHeaders;
  readonly body: Body;

  constructor({ status, headers = {}, body }: { status: number; headers?: ReplyHeaders; body: Body }) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

/** For a handler that answers another status than the first one of its route, or headers of its own. */
export function reply<Body>(parts: { status: number; headers?: ReplyHeaders; body: Body }): Reply<Body> {
  return new Reply(parts);
}

export interface BodyLimit {
  sizeBytes: number;
  setting: string;
}

export interface RouteFacts {
  method: Method;
  /** As in /api/v1/changes/:id */
  url: string;
  /** "public": for those of PUBLIC_URLS only, which are asked without a credential. */
  permission: Permission | "public";
}

type None = z.ZodUndefined;

/** What the scope of a request, and whether it needs a second factor, are found by. */
export type ScopeRequest<Params, Query, Body> = Pick<
  HttpRequest<Params, Query, Body>,
  "params" | "query" | "body" | "authenticated"
>;
/** The response of a route that answers bytes. */
export const BYTES = z.custom<Uint8Array>((value) => value instanceof Uint8Array);
/** The same, where they may be sent on as they come; cut off, not ended, when the source fails. */
export const BYTE_STREAM = z.custom<Uint8Array | Readable>(
  (value) => value instanceof Uint8Array || value instanceof Readable,
);

interface RouteForm<
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  R extends z.ZodType,
> extends RouteFacts {
  /**
   * What a request is about. "somewhere": whoever has the permission for anything at all is let in, and the
   * handler answers or does only what it covers. Without it the request is about the whole platform.
   */
  scope?:
    | "somewhere"
    | ((
        request: ScopeRequest<z.output<P>, z.output<Q>, z.output<B>>,
      ) => Scope | FoundScope | Promise<Scope | FoundScope>);
  /** Whether a second factor must have been confirmed within the last minutes. */
  stepUp?:
    | boolean
    | ((request: ScopeRequest<z.output<P>, z.output<Q>, z.output<B>>) => boolean | Promise<boolean>);
  /** Passwords or tokens go in, or a secret comes out: no Idempotency-Key keeps any of it. */
  isSecretAnswer?: boolean;
  /** A line for the API document. */
  summary: string;
  tags?: readonly string[];
  params?: P;
  /** Texts come in: numbers need z.coerce. */
  query?: Q;
  body?: B;
  /** Of a JSON body, with the setting that raises it; server.bodyLimit unless given. */
  bodyLimit?: BodyLimit;
  /**
   * Media types of bytes that are handed on as they arrive, in place of a JSON body; no body at all is fine.
   */
  takes?: readonly string[];
  /** Whether programs may send their key as the password of HTTP Basic authentication, under any name. */
  takesBasic?: boolean;
  /** What is answered; for a stream, each of its items. */
  response: R;
}

export type Route<
  P extends z.ZodType = None,
  Q extends z.ZodType = None,
  B extends z.ZodType = None,
  R extends z.ZodType = z.ZodType,
> = RouteForm<P, Q, B, R> &
  (
    | {
        stream?: undefined;
        /** The statuses of a success; the first one is the usual one, 200 unless given. */
        statuses?: readonly number[];
        /** The answer is bytes of this media type; the response is `BYTES` or `BYTE_STREAM`. */
        bytes?: string;
        /** What the bytes hold, for the API document. */
        holds?: z.ZodType;
        /** The answer is text of this type instead of JSON. */
        contentType?: string;
        handler: (
          request: HttpRequest<z.output<P>, z.output<Q>, z.output<B>>,
        ) => Promise<z.output<R> | Reply<z.output<R>>> | z.output<R> | Reply<z.output<R>>;
      }
    | {
        /** One JSON document a line, each sent at once; cut off, not ended, when the source fails. */
        stream: "ndjson";
        handler: (
          request: HttpRequest<z.output<P>, z.output<Q>, z.output<B>>,
        ) => Promise<AsyncIterable<z.output<R>>> | AsyncIterable<z.output<R>>;
      }
  );

/** A method's type, so that one that takes the route's own types fits. */
type Untyped<Result> = {
  ask(request: ScopeRequest<unknown, unknown, unknown>): Result | Promise<Result>;
}["ask"];

/** A route without the types of its schemas, as the server holds it. */
export interface AnyRoute extends Omit<
  RouteForm<z.ZodType, z.ZodType, z.ZodType, z.ZodType>,
  "scope" | "stepUp"
> {
  scope?: "somewhere" | Untyped<Scope | FoundScope> | undefined;
  stepUp?: boolean | Untyped<boolean> | undefined;
  stream?: "ndjson" | undefined;
  bytes?: string;
  holds?: z.ZodType;
  statuses?: readonly number[];
  contentType?: string;
  handler(request: HttpRequest<unknown, unknown, unknown>): unknown;
}

/** Throws for a route that could be registered only by mistake: above all, one that names no permission. */
export function checkRoute(route: RouteFacts, publicUrls: readonly string[]): void {
  const name = `${route.method} ${route.url}`;
  const isPublic = route.permission === "public" && publicUrls.includes(route.url);
  if (!isPublic && !isPermission(route.permission)) {
    throw new Error(
      `${name} needs a permission of the list in api/src/permissions.ts, not ${JSON.stringify(route.permission)}`,
    );
  }
  if (!METHODS.includes(route.method) || !route.url.startsWith("/"))
    throw new Error(`${name} is not a route`);
}

export interface RawInput {
  params: unknown;
  query: unknown;
  body: unknown;
}

/** The request as the route's schemas understand it. Throws REQUEST_INVALID that names every wrong field. */
export function readInput(route: AnyRoute, raw: RawInput): RawInput {
  const errors: FieldError[] = [];
  const read = (part: keyof RawInput, schema: z.ZodType | undefined): unknown => {
    if (!schema) return undefined;
    const parsed = schema.safeParse(raw[part], { error: explain });
    if (parsed.success) return parsed.data;
    const found = describeIssues(parsed.error, schema);
    errors.push(...found.map(({ path, message }) => ({ path: under(part, path), message })));
  };
  const input = {
    params: read("params", route.params),
    query: read("query", route.query),
    body: read("body", route.body),
  };
  if (errors.length > 0) throw new AppError("REQUEST_INVALID", {}, { errors });
  return input;
}

function under(part: string, path: string): string {
  return path === "(top level)" ? part : `${part}.${path}`;
}

/** The answer as JSON, held to the route's schema so that nothing leaves that it does not name. */
export function writeOutput({ response, contentType }: AnyRoute, output: unknown): string {
  const encoded = response.safeEncode(output);
  if (!encoded.success)
    throw new Error("the answer does not have the form of the route", { cause: encoded.error });
  if (encoded.data === undefined) return "";
  return contentType !== undefined && typeof encoded.data === "string"
    ? encoded.data
    : JSON.stringify(encoded.data);
}
