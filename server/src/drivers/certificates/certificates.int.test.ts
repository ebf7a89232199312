import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { platformFile, type Challenge, type HttpsSettings, type ObservedState } from "@mainstay/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSelfSigned } from "../../../../tests/support/self-signed.ts";
import { openTestDatabase } from "../../../../tests/support/database.ts";
import { createTestEvents } from "../../../../tests/support/events.ts";
import { silentLog } from "../../../../tests/support/log.ts";
import { createTemporaryDirectory } from "../../../../tests/support/temporary.ts";
import { waitUntil } from "../../../../tests/support/wait-until.ts";
import { createAudit } from "../../core/audit/index.ts";
import { createVirtualClock, type VirtualClock } from "../../kernel/clock.ts";
import { createIds } from "../../kernel/ids.ts";
import { createCertificates, type Certificates } from "./certificates.ts";
import { createFileCertificates } from "./file-certificates.ts";
import { createIssuedCertificates } from "./issued-certificates.ts";
import { createPrivateFiles } from "./private-files.ts";
import { createCertificatesStore } from "./store.ts";

const START = Date.parse("2026-11-01T12:00:00Z");
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const HOST = "shop.example.com";
const ORIGIN = { actor: { type: "key", id: "k1", name: "Ann" }, requestId: null, address: null };

let home: ReturnType<typeof createTemporaryDirectory>;
let database: Awaited<ReturnType<typeof openTestDatabase>>;
let clock: VirtualClock;
let started: Certificates[];
/** What the agent was given, and what was asked of the authority. */
let given: HttpsSettings[];
let challenges: Challenge[][];
let orders: { host: string; at: Date }[];
/** Throws what the authority says, waits, or does nothing. */
let mood: () => Promise<void>;
let hosts: string[];
let bootId: string;
let news: () => void;

beforeEach(async () => {
  home = createTemporaryDirectory();
  database = await openTestDatabase();
  clock = createVirtualClock(START);
  [started, given, challenges, orders, hosts] = [[], [], [], [], [HOST]];
  bootId = "boot-1";
  news = () => {};
  mood = async () => {};
});
afterEach(async () => {
  for (const each of started) await each.stop();
  await database.close();
  home.remove();
});

/** A server's certificates, with an authority that issues for 90 days and an agent that takes everything. */
function start(owner = "one", settings: object = {}): Certificates {
  const { db } = database;
  const ids = createIds({ clock, random: randomBytes });
  const config = platformFile.parse({
    proxy: { tls: { port: 8443, ...settings } },
    acme: { agreeToTerms: true },
  });
  const keys = createPrivateFiles(path.join(home.path, "certificates"));
  const certificates = createCertificates({
    ...{ db, clock, config, owner, log: silentLog, random: (count: number) => new Uint8Array(count) },
    store: createCertificatesStore(db),
    issued: createIssuedCertificates({ clock, keys }),
    files: createFileCertificates({ pairs: config.proxy.tls.certificates, log: silentLog }),
    audit: createAudit({ db, clock, ids }),
    events: createTestEvents(database, { clock }),
    authority: {
      async issue(host, prove) {
        orders.push({ host, at: clock.now() });
        const takeBack = await prove({ token: "tok", answer: "tok.thumb" });
        try {
          await mood();
        } finally {
          await takeBack();
        }
        const { cert, key } = createSelfSigned({ hosts: [host], from: clock.now(), days: 90 });
        return { chain: cert, key };
      },
    },
    agent: {
      putHttps: async (each) => void given.push(each),
      putChallenges: async (each) => void challenges.push(each),
    },
    link: {
      hosts: () => hosts,
      observed: () => ({ bootId }) as ObservedState,
      onNews(listener) {
        news = listener;
        return () => {};
      },
    },
  });
  started.push(certificates);
  void certificates.start();
  return certificates;
}

async function untilIssued(certificates: Certificates, host = HOST) {
  return waitUntil(`a certificate for ${host}`, async () => {
    // Files are read at the first look, after the start.
    const shown = await certificates.show(host).catch(() => null);
    const isThere = given.at(-1)?.certificates.some((each) => each.hosts.includes(host));
    return shown?.state === "valid" && isThere ? shown : null;
  });
}

const query = async (text: string) => (await database.pool.query(text)).rows;
const auditTrail = () => query("select action, reason from audit.all_entries order by insertion");
const emitted = () => query("select type, subject, data from events.outbox order by id");

describe("certificates", () => {
  it("are ordered for every host of a route that an authority would prove, once", async () => {
    hosts = [HOST, "api.example.com", "localhost", "*.example.com"];
    const certificates = start();
    await untilIssued(certificates, "api.example.com");
    await untilIssued(certificates);
    expect(orders.map((each) => each.host).toSorted()).toEqual(["api.example.com", HOST]);
    expect(challenges).toEqual([
      [{ token: "tok", answer: "tok.thumb" }],
      [],
      [{ token: "tok", answer: "tok.thumb" }],
      [],
    ]);
    const states = (await certificates.list()).map((each) => [each.host, each.state]);
    expect(states).toEqual([
      ["*.example.com", "self-signed"],
      ["api.example.com", "valid"],
      ["localhost", "self-signed"],
      [HOST, "valid"],
    ]);
    expect((await auditTrail()).map((each) => each.action)).toEqual([
      "certificates.issued",
      "certificates.issued",
    ]);
    expect((await emitted()).at(-1)).toMatchObject({
      type: "certificates.issued",
      data: { isRenewal: false },
    });
  });

  it("are renewed with a third of their lifetime left, and not before", async () => {
    const certificates = start();
    const first = await untilIssued(certificates);
    expect(first.renewAt).toBe(new Date(START + 60 * DAY_MS).toISOString());
    await clock.advance(60 * DAY_MS - MINUTE_MS);
    expect(orders).toHaveLength(1);
    await clock.advance(2 * MINUTE_MS);
    const second = await waitUntil("the renewal", async () => {
      const shown = await certificates.show(HOST);
      return shown.serial === first.serial ? null : shown;
    });
    expect(orders).toHaveLength(2);
    expect(second.notAfter).toBe(new Date(clock.now().getTime() + 90 * DAY_MS).toISOString());
    await waitUntil(
      "the new key alone",
      () => readdirSync(path.join(home.path, "certificates")).length === 1,
    );
    expect((await emitted()).at(-1)).toMatchObject({ data: { host: HOST, isRenewal: true } });
  });

  it("that cannot be had are tried again later each time; every attempt is audited and told", async () => {
    mood = async () => Promise.reject(new Error("no such host"));
    const certificates = start();
    const untilFailed = (attempts: number) =>
      waitUntil(`${attempts} failed attempts`, async () => {
        const shown = await certificates.show(HOST);
        return shown.attempts === attempts ? shown : null;
      });
    expect(await untilFailed(1)).toMatchObject({
      ...{
        state: "failed",
        problem: "no such host",
        nextAttemptAt: new Date(START + 5 * MINUTE_MS).toISOString(),
      },
    });
    await clock.advance(5 * MINUTE_MS);
    await untilFailed(2);
    await clock.advance(15 * MINUTE_MS);
    await untilFailed(3);
    const minutes = orders.map(({ at }) => (at.getTime() - START) / MINUTE_MS);
    expect(minutes).toEqual([0, 5, 20]);
    mood = async () => {};
    await clock.advance(45 * MINUTE_MS);
    expect(await untilIssued(certificates)).toMatchObject({ attempts: 0, problem: null });
    const failed = { action: "certificates.attempt_failed", reason: "no such host" };
    expect(await auditTrail()).toEqual([
      failed,
      failed,
      failed,
      { action: "certificates.issued", reason: null },
    ]);
    expect((await emitted())[2]).toMatchObject({
      type: "certificates.failed",
      data: { attempts: 3, notAfter: null },
    });
  });

  it("are ordered at once when somebody asks, who is named in the audit log", async () => {
    const certificates = start();
    const first = await untilIssued(certificates);
    await certificates.renew(HOST, ORIGIN);
    await waitUntil("another one", async () => (await certificates.show(HOST)).serial !== first.serial);
    expect((await auditTrail())[1]?.action).toBe("certificates.renewal_requested");
    await expect(certificates.renew("unknown.example.com", ORIGIN)).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
  });

  it("are ordered by one server at a time", async () => {
    const { promise: isReleased, resolve: release } = Promise.withResolvers<void>();
    mood = () => isReleased;
    hosts = [HOST, "api.example.com"];
    const one = start("one");
    await waitUntil("the first order", () => orders.length === 1);
    const other = start("two");
    await waitUntil("the other to have looked", async () => (await other.list()).length === 2);
    await clock.advance(MINUTE_MS);
    expect(orders).toHaveLength(1);
    release();
    await untilIssued(one);
    await clock.advance(MINUTE_MS);
    await untilIssued(one, "api.example.com");
    expect(orders).toHaveLength(2);
  });

  it("are brought to an agent that is another one, and ordered for a route that is new", async () => {
    const certificates = start();
    await untilIssued(certificates);
    const before = given.length;
    bootId = "boot-2";
    news();
    await waitUntil("the agent to be told again", () => given.length > before);
    expect(given.at(-1)?.certificates).toHaveLength(1);
    hosts = [HOST, "new.example.com"];
    news();
    await untilIssued(certificates, "new.example.com");
  });

  it("whose key is gone are ordered anew", async () => {
    await untilIssued(start());
    await started.pop()?.stop();
    rmSync(path.join(home.path, "certificates"), { recursive: true });
    const again = start();
    await waitUntil("another order", () => orders.length === 2);
    await untilIssued(again);
  });

  it("from files go before all others; a file that breaks leaves what was read of it", async () => {
    const { cert, key } = createSelfSigned({ hosts: ["*.example.com"], from: clock.now(), days: 30 });
    mkdirSync(path.join(home.path, "own"));
    const pair = { cert: path.join(home.path, "own", "a.crt"), key: path.join(home.path, "own", "a.key") };
    writeFileSync(pair.cert, cert);
    writeFileSync(pair.key, key, { mode: 0o600 });
    const certificates = start("one", { certificates: [pair] });
    expect(await untilIssued(certificates, "*.example.com")).toMatchObject({ source: "file" });
    expect(await certificates.show(HOST)).toMatchObject({ source: "file", names: ["*.example.com"] });
    expect(orders).toEqual([]);

    const reasonAfter = async (alter: () => void) => {
      alter();
      return (await certificates.reload(ORIGIN)).find((each) => each.host === HOST)?.problem;
    };
    const strange = createSelfSigned({ hosts: ["a.example"], from: clock.now(), days: 1 });
    expect(await reasonAfter(() => writeFileSync(pair.key, strange.key))).toMatch(
      /the key of another certificate/,
    );
    expect(await reasonAfter(() => chmodSync(pair.key, 0o644))).toMatch(/other accounts may use the key/);
    expect(await reasonAfter(() => writeFileSync(pair.cert, "nonsense"))).not.toBeNull();
    expect(await certificates.show(HOST)).toMatchObject({ state: "valid" });
    await expect(certificates.renew(HOST, ORIGIN)).rejects.toMatchObject({ code: "CERTIFICATES_OFF" });
  });
});
