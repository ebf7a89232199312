import { createHmac, randomBytes } from "node:crypto";
import { AppError } from "@mainstay/api";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { createTestHttp, KEY } from "../../../../tests/support/http.ts";
import { createVirtualClock, type VirtualClock } from "../clock.ts";
import type { DatabaseHandle } from "../database/index.ts";
import { createIds } from "../ids.ts";
import { createTestSealer } from "../../../../tests/support/vault.ts";
import { createFingerprintKey, createIdempotencyStore, type Http } from "./index.ts";

const HOUR_MS = 3_600_000;
let database: DatabaseHandle;
let clock: VirtualClock;
let store: ReturnType<typeof createIdempotencyStore>;

beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

beforeEach(async () => {
  await database.pool.query("delete from kernel_http.idempotency_keys");
  clock = createVirtualClock(Date.parse("2026-11-21T10:00:00Z"));
  store = createIdempotencyStore({
    ...{ db: database.db, clock, ids: createIds({ clock, random: randomBytes }) },
    fingerprintKey: async () => Buffer.alloc(32, 7),
  });
});

/** POST /api/v1/items makes an item; its name may ask for a failure, or for a wait until it is let go. */
function addItems(http: Http) {
  const made: string[] = [];
  const entered = Promise.withResolvers<void>();
  const leave = Promise.withResolvers<void>();
  http.route({
    method: "POST",
    url: "/api/v1/items",
    permission: "releases.write",
    summary: "Make an item",
    body: z.object({ name: z.string() }),
    response: z.object({ count: z.int() }),
    statuses: [201],
    handler: async ({ body }) => {
      made.push(body.name);
      if (body.name === "locked" && made.length === 1) {
        throw new AppError("CHANGE_LOCKED", { target: "t", change: "c", state: "s", by: "b", since: "now" });
      }
      if (body.name === "slow") {
        entered.resolve();
        await leave.promise;
      }
      return { count: made.length };
    },
  });
  return { made, entered: entered.promise, leave: leave.resolve };
}

function start(config: Parameters<typeof createTestHttp>[0] = {}) {
  const { http } = createTestHttp(config, store);
  const items = addItems(http);
  const post = async (key: string, name: string) => {
    const headers = { ...KEY, "idempotency-key": key };
    const answer = await http.inject({ method: "POST", url: "/api/v1/items", headers, payload: { name } });
    return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
  };
  return { ...items, post };
}

describe("a POST with an Idempotency-Key", () => {
  it("is done once, and its answer sent again to whoever repeats it", async () => {
    const { post, made } = start();
    const first = await post("k", "a");
    const again = await post("k", "a");
    expect([first.status, first.body, again.status, again.body]).toEqual([
      201,
      { count: 1 },
      201,
      { count: 1 },
    ]);
    expect([first.headers["idempotency-replayed"], again.headers["idempotency-replayed"]]).toEqual([
      undefined,
      "true",
    ]);
    expect(made).toEqual(["a"]);
  });

  it("is refused when the key stood for something else", async () => {
    const { post, made } = start();
    await post("k", "a");
    expect(await post("k", "b")).toMatchObject({ status: 422, body: { code: "IDEMPOTENCY_CONFLICT" } });
    expect(made).toEqual(["a"]);
  });

  it("is refused while the first one is being worked on, then answered like it", async () => {
    const { post, made, entered, leave } = start();
    const first = post("k", "slow");
    await entered;
    expect(await post("k", "slow")).toMatchObject({ status: 409, body: { code: "IDEMPOTENCY_RUNNING" } });
    leave();
    expect((await first).body).toEqual({ count: 1 });
    expect((await post("k", "slow")).body).toEqual({ count: 1 });
    expect(made).toEqual(["slow"]);
  });

  it("may be tried again after a refusal", async () => {
    const { post } = start();
    expect((await post("k", "locked")).status).toBe(409);
    expect(await post("k", "locked")).toMatchObject({ status: 201, body: { count: 2 } });
  });

  it("that is answered too late is remembered all the same", async () => {
    const { post, made, leave } = start({ requestTimeout: 50 });
    expect((await post("k", "slow")).body.code).toBe("REQUEST_TIMEOUT");
    leave();
    let answer = await post("k", "slow");
    while (answer.status === 409) answer = await post("k", "slow");
    expect(answer.body).toEqual({ count: 1 });
    expect(made).toEqual(["slow"]);
  });

  it("with a key that is none is refused", async () => {
    const { post } = start();
    expect(await post("two words", "a")).toMatchObject({
      status: 400,
      body: { errors: [{ path: "headers.idempotency-key" }] },
    });
  });
});

describe("the store of idempotency keys", () => {
  const request = { actor: "key:1", key: "k", fingerprint: "f" };
  const answer = { status: 201, headers: { etag: '"1"' }, body: "{}" };

  async function begin(): Promise<string> {
    const found = await store.begin(request);
    if (found.state !== "begun") throw new Error(`it is ${found.state}`);
    return found.attempt;
  }

  it("lets one of many begin", async () => {
    const states = await Promise.all(Array.from({ length: 8 }, () => store.begin(request)));
    expect(states.map(({ state }) => state).toSorted()).toEqual([
      "begun",
      ...Array<string>(7).fill("running"),
    ]);
  });

  it("keeps of a request what only the key of the installation makes of it", async () => {
    await begin();
    const { rows } = await database.pool.query("select fingerprint from kernel_http.idempotency_keys");
    const keyed = createHmac("sha256", Buffer.alloc(32, 7)).update(request.fingerprint).digest("hex");
    expect(rows).toEqual([{ fingerprint: keyed }]);
  });

  it("keeps the keys of two actors apart", async () => {
    await store.complete(request, await begin(), answer);
    expect((await store.begin({ ...request, actor: "key:2" })).state).toBe("begun");
    expect(await store.begin(request)).toEqual({ state: "done", answer });
  });

  it("takes over from a server that was killed, whose late word no longer counts", async () => {
    const killed = await begin();
    await clock.advance(10 * 60_000 + 1);
    const successor = await begin();
    await store.complete(request, killed, { ...answer, status: 500 });
    await store.abandon(request, killed);
    await store.complete(request, successor, answer);
    expect(await store.begin(request)).toEqual({ state: "done", answer });
  });

  it("forgets after a day", async () => {
    await store.complete(request, await begin(), answer);
    await clock.advance(24 * HOUR_MS + 1);
    expect((await store.begin(request)).state).toBe("begun");
    expect(await store.purge()).toBe(0);
    await clock.advance(24 * HOUR_MS + 1);
    expect(await store.purge()).toBe(1);
  });
});

it("the key of fingerprints is made once for all servers, and lies sealed", async () => {
  const sealer = createTestSealer();
  const open = () => createFingerprintKey({ db: database.db, sealer, random: randomBytes })();
  const [one, other] = await Promise.all([open(), open()]);
  expect(Buffer.from(one)).toEqual(Buffer.from(other));
  expect(one).toHaveLength(32);
  const { rows } = await database.pool.query<{ key: Buffer }>(
    "select sealed_key as key from kernel_http.fingerprint_keys",
  );
  expect(rows).toHaveLength(1);
  expect(rows[0]?.key.includes(Buffer.from(one))).toBe(false);
});
