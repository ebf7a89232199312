import { spawn } from "node:child_process";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { fileURLToPath } from "node:url";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startChannelsServer, type ChannelsServer } from "../../../../tests/support/channels.ts";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { createTestEvents, type TestEvents } from "../../../../tests/support/events.ts";
import {
  startHttpReceiver,
  type HttpReceiver,
  type ReceivedRequest,
} from "../../../../tests/support/receivers.ts";
import { waitUntil } from "../../../../tests/support/wait-until.ts";
import { createSystemClock, createVirtualClock, type Clock, type VirtualClock } from "../../kernel/clock.ts";

const CHANNELS_SERVER = fileURLToPath(
  new URL("../../../../tests/support/channels-server.ts", import.meta.url),
);
const SECRET = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const OLDER = `whsec_${Buffer.alloc(32, 2).toString("base64")}`;
/**
 * Long past for the database, which therefore never keeps a job waiting: the room itself waits, by its clock.
 */
const START = Date.parse("2020-11-01T12:00:00Z");
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const ANN = { actor: { type: "key", id: "k1", name: "Ann" }, requestId: null, address: null };

let database: Awaited<ReturnType<typeof openTestDatabase>>;
let clock: VirtualClock;
let receiver: HttpReceiver;
let answer: RequestListener;
let servers: ChannelsServer[];

beforeEach(async () => {
  database = await openTestDatabase();
  clock = createVirtualClock(START);
  answer = (_, response) => void response.writeHead(204).end();
  receiver = await startHttpReceiver((request, response) => answer(request, response));
  servers = [];
});
afterEach(async () => {
  for (const each of servers) await each.stop();
  await receiver.close();
  await database.close();
});

const hook = (more: object = {}) => ({
  kind: "webhook",
  url: `${receiver.url}/path-with-token?key=abc`,
  secrets: [{ env: "HOOK_SECRET" }],
  ...more,
});

async function start(
  channels: Record<string, unknown> = { ops: hook() },
  time: Clock = clock,
): Promise<ChannelsServer> {
  const env = { HOOK_SECRET: SECRET, OLDER_SECRET: OLDER };
  const server = await startChannelsServer({ database, channels, env, clock: time });
  servers.push(server);
  return server;
}

async function tellBy(events: TestEvents, summary: string, type = "problems.opened"): Promise<void> {
  const since = clock.now().toISOString();
  const problem = { kind: "disk-low", service: null, environment: null, summary, since, lastedMs: 1_000 };
  await events.tell({ type, subject: "data-directory", data: problem });
}
const tell = ({ events }: ChannelsServer, summary: string, type?: string) => tellBy(events, summary, type);

/** One at a time: each has been turned into deliveries, or dropped, before the next one. */
async function tellAll(server: ChannelsServer, summaries: string[]): Promise<void> {
  for (const summary of summaries) {
    const before = await position();
    await tell(server, summary);
    await waitUntil("the event to be accepted", async () => (await position()) > before);
  }
}

async function position(): Promise<number> {
  return Number((await query("select position from channels.progress"))[0]?.position);
}

const query = async (text: string) => (await database.pool.query(text)).rows;
const deliveries = async (server: ChannelsServer) =>
  (await server.channels.deliveries({ limit: 100 })).items.toReversed();

function requested(count: number): Promise<ReceivedRequest[]> {
  return waitUntil(`${count} requests`, () => receiver.requests.length >= count && receiver.requests);
}

/** The oldest delivery, once so many attempts were made and written down. */
async function untilAttempts(server: ChannelsServer, attempts: number) {
  return waitUntil(`attempt ${attempts} to be over`, async () => {
    const [first] = await deliveries(server);
    const isWaiting = (first?.nextAttemptAt ?? "") > (first?.lastAttemptAt ?? "");
    return first?.attempts === attempts && (isWaiting || first.state !== "pending") ? first : null;
  });
}

function verify({ body, headers }: ReceivedRequest, secret: string): unknown {
  const signed = {
    "webhook-id": String(headers["webhook-id"]),
    "webhook-timestamp": String(headers["webhook-timestamp"]),
    "webhook-signature": String(headers["webhook-signature"]),
  };
  return new Webhook(secret).verify(body, signed);
}

describe("a webhook", () => {
  it("carries the event, signed with the new secret and with the old one", async () => {
    const secrets = [{ env: "HOOK_SECRET" }, { env: "OLDER_SECRET" }];
    const server = await start({ ops: hook({ secrets }) }, createSystemClock());
    await tell(server, "little space");
    const [request] = await requested(1);
    if (!request) throw new Error("there is a request");
    expect(request.method).toBe("POST");
    expect(request.headers["content-type"]).toBe("application/cloudevents+json; charset=utf-8");
    for (const secret of [SECRET, OLDER]) {
      expect(verify(request, secret)).toMatchObject({
        ...{
          specversion: "1.0",
          type: "problems.opened",
          subject: "data-directory",
          source: "mainstay/test",
        },
        data: { kind: "disk-low", summary: "little space" },
      });
    }
    expect(await untilAttempts(server, 1)).toMatchObject({ state: "delivered", lastError: null });
  });

  it("that is refused is sent again later each time, under the same id and a new timestamp", async () => {
    answer = (_, response) => {
      const isLast = receiver.requests.length === 3;
      response.writeHead(isLast ? 200 : 503).end(isLast ? "" : "not\n now");
    };
    const server = await start();
    await tell(server, "little space");
    expect(await untilAttempts(server, 1)).toMatchObject({
      ...{ state: "pending", lastError: "answered 503: not now" },
      nextAttemptAt: new Date(clock.now().getTime() + 5_000).toISOString(),
    });
    expect((await server.channels.list())[0]).toMatchObject({ state: "failing", pending: 1 });
    await clock.advance(5_000);
    await untilAttempts(server, 2);
    await clock.advance(5 * MINUTE_MS);
    expect(await untilAttempts(server, 3)).toMatchObject({ state: "delivered", lastError: null });
    const ids = new Set(receiver.requests.map(({ headers }) => headers["webhook-id"]));
    const times = new Set(receiver.requests.map(({ headers }) => headers["webhook-timestamp"]));
    expect([ids.size, times.size]).toEqual([1, 3]);
    expect(new Set(receiver.requests.map(({ body }) => body)).size).toBe(1);
    expect((await server.channels.list())[0]).toMatchObject({ state: "ready", problem: null, delivered: 1 });
  });

  it("is given up after the tenth attempt, which is counted and shown", async () => {
    answer = (_, response) => void response.writeHead(500).end();
    const server = await start();
    await tell(server, "little space");
    await untilAttempts(server, 1);
    await query("update channels.deliveries set attempts = 8");
    for (const attempt of [9, 10]) {
      await clock.advance(24 * HOUR_MS);
      await untilAttempts(server, attempt);
    }
    expect(await untilAttempts(server, 10)).toMatchObject({ state: "failed", lastError: "answered 500" });
    const text = await server.metrics();
    expect(text).toContain('mainstay_channels_messages_total{channel="ops",outcome="failed"} 1');
    expect(text).toContain('mainstay_channels_attempts_total{channel="ops",outcome="refused"} 3');
  });

  it("waits for as long as its receiver asks for", async () => {
    answer = (_, response) => void response.writeHead(429, { "retry-after": "3600" }).end();
    const server = await start();
    await tell(server, "little space");
    const nextAttemptAt = new Date(clock.now().getTime() + HOUR_MS).toISOString();
    expect(await untilAttempts(server, 1)).toMatchObject({ nextAttemptAt });
  });

  it("follows no redirect, and reads no more than the beginning of what it is told", async () => {
    answer = (_, response) => void response.writeHead(307, { location: `${receiver.url}/elsewhere` }).end();
    const server = await start();
    const redirected = await server.channels.test("ops", ANN);
    expect(redirected).toMatchObject({
      state: "failed",
      lastError: "answered 307: redirects are not followed",
    });
    answer = (_, response) => {
      response.writeHead(500);
      const more = (): void =>
        void (response.destroyed || (response.write("x".repeat(65_536)), setImmediate(more)));
      more();
    };
    expect((await server.channels.test("ops", ANN)).lastError).toMatch(/^answered 500: x{400,512}$/);
    expect(receiver.requests).toHaveLength(2);
  });

  it("to a receiver that is gone is the last one, until the configuration is another", async () => {
    answer = (_, response) => void response.writeHead(410).end();
    const server = await start();
    await tellAll(server, ["first"]);
    await untilAttempts(server, 1);
    await tellAll(server, ["second"]);
    expect((await deliveries(server)).map(({ state, lastError }) => [state, lastError])).toEqual([
      ["failed", "answered 410"],
      ["failed", "the receiver is gone: answered 410"],
    ]);
    expect((await server.channels.list())[0]).toMatchObject({ state: "disabled" });
    expect(await query("select action, reason from audit.all_entries")).toEqual([
      { action: "channels.disabled", reason: "the receiver is gone: answered 410" },
    ]);
    await server.stop();
    servers = [];
    expect((await (await start()).channels.list())[0]?.state).toBe("disabled");
    await servers.pop()?.stop();
    const altered = await start({ ops: hook({ groupWithin: "1m" }) });
    expect((await altered.channels.list())[0]?.state).not.toBe("disabled");
    expect(receiver.requests).toHaveLength(1);
  });

  it("comes back from being disabled when a test arrives", async () => {
    answer = (_, response) => void response.writeHead(410).end();
    const server = await start();
    expect((await server.channels.test("ops", ANN)).state).toBe("failed");
    expect((await server.channels.list())[0]?.state).toBe("disabled");
    answer = (_, response) => void response.writeHead(200).end();
    expect((await server.channels.test("ops", ANN)).state).toBe("delivered");
    expect((await server.channels.list())[0]?.state).toBe("ready");
  });
});

describe("messages on one subject", () => {
  it("go out twice within the time; what follows becomes one that says how many it stands for", async () => {
    const server = await start();
    const summaries = Array.from({ length: 30 }, (_, index) => `message ${index + 1}`);
    await tellAll(server, summaries);
    await requested(2);
    await waitUntil(
      "both to be written down",
      async () => (await deliveries(server)).filter(({ state }) => state === "delivered").length === 2,
    );
    expect(await deliveries(server)).toHaveLength(3);
    await clock.advance(10 * MINUTE_MS);
    const [, , third] = await requested(3);
    expect(JSON.parse(third?.body ?? "")).toMatchObject({ data: { summary: "message 30" }, suppressed: 27 });
    expect(await server.metrics()).toContain(
      'mainstay_channels_messages_total{channel="ops",outcome="grouped"} 27',
    );
  });

  it("arrive in their order, also when the first one had to be sent again", async () => {
    answer = (_, response) => void response.writeHead(receiver.requests.length === 1 ? 500 : 200).end();
    const server = await start({ ops: hook() }, createSystemClock());
    await tell(server, "it begins");
    await untilAttempts(server, 1);
    await tell(server, "it begins", "problems.ended");
    const types = (await requested(3)).map(({ body }) => JSON.parse(body).type);
    expect(types).toEqual(["problems.opened", "problems.opened", "problems.ended"]);
  });
});

describe("a channel", () => {
  it("is told of what it asked for alone", async () => {
    const server = await start({ disk: hook(), other: hook({ events: ["change-undone"] }) });
    await tellAll(server, ["little space"]);
    expect((await deliveries(server)).map(({ channel }) => channel)).toEqual(["disk"]);
  });

  it("that does not exist cannot be tested", async () => {
    const server = await start();
    await expect(server.channels.test("nobody", ANN)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("takes up no more than it can keep, and counts what it drops", async () => {
    const server = await start();
    await query(`insert into channels.deliveries
      (id, channel, topic, mood, subject, title, body, payload, state, attempts,
        due_at, next_attempt_at, created_at)
      select 'dlv_' || n, 'ops', 'disk-low', 'problem', 's' || n, '', '', '{}', 'pending', 1, now(),
        now() + interval '1 day', now() from generate_series(1, 1000) n`);
    await tellAll(server, ["little space"]);
    expect((await server.channels.list())[0]).toMatchObject({ pending: 1000, dropped: 1 });
    expect(await server.metrics()).toContain('outcome="dropped"} 1');
  });

  it("whose secret cannot be read says which, and goes on once it can", async () => {
    const server = await start({ ops: hook({ secrets: [{ env: "MISSING" }] }) });
    const { lastError } = await server.channels.test("ops", ANN);
    expect(lastError).toBe("the variable MISSING is not set in the server's environment");
    expect(receiver.requests).toHaveLength(0);
  });

  it("shows nothing of its URL but the host, whatever goes wrong", async () => {
    const { url } = receiver;
    const server = await start();
    await receiver.close();
    const { lastError } = await server.channels.test("ops", ANN);
    expect(lastError).toContain("ECONNREFUSED");
    receiver = await startHttpReceiver();
    const shown = JSON.stringify([await server.channels.list(), await deliveries(server)]);
    expect(shown).toContain(url);
    expect(shown).not.toMatch(/path-with-token|key=abc|whsec_/);
  });

  it("that is no longer configured leaves nothing pending", async () => {
    answer = (_, response) => void response.writeHead(500).end();
    const server = await start();
    await tell(server, "little space");
    await untilAttempts(server, 1);
    await server.stop();
    servers = [];
    const other = await start({});
    expect(await deliveries(other)).toMatchObject([
      { state: "failed", lastError: "the channel is no longer in the configuration" },
    ]);
  });
});

describe("a message whose server is killed with kill -9 while it is sent", () => {
  it("is sent by the next one under the same id", async () => {
    let killed = (): void => {};
    answer = (_, response) => {
      if (receiver.requests.length === 1) killed();
      else response.writeHead(204).end();
    };
    const args = [CHANNELS_SERVER, database.url, JSON.stringify({ ops: hook() })];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, HOOK_SECRET: SECRET },
      stdio: ["ignore", "pipe", "inherit"],
    });
    killed = () => void child.kill("SIGKILL");
    const ended = once(child, "exit");
    await once(child.stdout, "data");
    // Heard by the other process, which leads.
    await tellBy(createTestEvents(database), "little space");
    expect(await ended).toEqual([null, "SIGKILL"]);
    const server = await start({ ops: hook() }, createSystemClock());
    const [first, second] = await requested(2);
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(second?.body).toBe(first?.body);
    expect(await untilAttempts(server, 2)).toMatchObject({ state: "delivered", attempts: 2 });
  });
});
