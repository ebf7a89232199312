export {
  type Actor,
  demand,
  describeScope,
  type Authenticate,
  type Authenticated,
  type Can,
  type Credentials,
  type FoundScope,
  type Scope,
} from "./authority.ts";
export { isPublicHost } from "./client-address.ts";
export { demandMatch, etagOf } from "./etag.ts";
export { createHttp, type Http, type HttpOptions } from "./http.ts";
export type { IdempotencyStore } from "./idempotency.ts";
export { createFingerprintKey, SEALED_FINGERPRINT_KEY } from "./fingerprint-key.ts";
export { createIdempotencyStore } from "./idempotency-store.ts";
export { originOf, type Origin } from "./origin.ts";
export {
  BYTES,
  BYTE_STREAM,
  Reply,
  reply,
  type AnyRoute,
  type Headers,
  type HttpRequest,
  type ReplyHeaders,
} from "./route.ts";
export { foundAt, onlyVisible, readVisible } from "./visible.ts";
