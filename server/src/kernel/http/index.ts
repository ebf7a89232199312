export { demandMatch, etagOf } from "./etag.ts";
export { createHttp, type Authenticated, type Http, type HttpOptions } from "./http.ts";
export type { IdempotencyStore } from "./idempotency.ts";
export { createIdempotencyStore } from "./idempotency-store.ts";
export { BYTES, reply, type Actor, type Headers, type Permission, type RouteFacts } from "./route.ts";
