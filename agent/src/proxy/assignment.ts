import xxhash from "xxhash-wasm";

const { h32 } = await xxhash();

/**
 * `BUCKETS` and `GROUPS` of @mainstay/api, repeated because
 * a worker loads no schemas; a test holds them equal.
 */
export const BUCKETS = 10_000;
export const GROUPS = 20;

/**
 * Where a user stands in a change ("" when there is none):
 * xxh32 with seed 0, as HAProxy's converter computes it.
 */
export function assignBucket(service: string, change: string, id: string): number {
  return h32(`release:${service}:${change}:${id}`, 0) % BUCKETS;
}
