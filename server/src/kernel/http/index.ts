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
export { demandMatch, etagOf } from "./etag.ts";
export { createHttp, type Http, type HttpOptions } from "./http.ts";
export type { IdempotencyStore } from "./idempotency.ts";
export { createIdempotencyStore } from "./idempotency-store.ts";
export { originOf, type Origin } from "./origin.ts";
export { reply, type AnyRoute, type Headers } from "./route.ts";
export { foundAt, onlyVisible, readVisible } from "./visible.ts";
