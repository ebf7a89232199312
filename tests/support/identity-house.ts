import { randomBytes } from "node:crypto";
import {
  identity as identityConfig,
  type EnteredResource,
  type IdentityConfig,
  type InvitedResource,
} from "@mainstay/api";
import { createAudit, type AuditEntry } from "../../server/src/core/audit/index.ts";
import {
  addAccessRoutes,
  addKeysRoutes,
  addTokensRoutes,
  createIdentity,
  createSigningKeys,
  createTokens,
  type GeoSource,
} from "../../server/src/core/identity/index.ts";
import { createVirtualClock } from "../../server/src/kernel/clock.ts";
import { createHttp, type Http } from "../../server/src/kernel/http/index.ts";
import { createFingerprintKey } from "../../server/src/kernel/http/fingerprint-key.ts";
import { createIdempotencyStore } from "../../server/src/kernel/http/idempotency-store.ts";
import { createIds } from "../../server/src/kernel/ids.ts";
import { createMetrics } from "../../server/src/kernel/metrics.ts";
import { openTestDatabase } from "./database.ts";
import { silentLog } from "./log.ts";
import { createTemporaryDirectory } from "./temporary.ts";
import { createTestSealer } from "./vault.ts";

export const PASSWORD = "seven lamps under water";
export const PUBLIC_URL = "http://localhost:7700";

type Method = NonNullable<Parameters<Http["inject"]>[0]["method"]>;

export interface HouseOptions {
  config?: Partial<IdentityConfig>;
  geo?: GeoSource;
  publicHost?: string | null;
  publicUrl?: string;
  /** With the short-lived tokens too. */
  hasTokens?: boolean;
}

export interface Asking {
  token?: string | null;
  body?: unknown;
  headers?: Record<string, string>;
  address?: string;
}

export type IdentityHouse = Awaited<ReturnType<typeof openIdentityHouse>>;

/** The identity room over a database of its own, with its routes, and no process around it. */
export async function openIdentityHouse(options: HouseOptions = {}) {
  const database = await openTestDatabase();
  const directory = createTemporaryDirectory();
  const clock = createVirtualClock(Date.parse("2026-11-21T10:00:00Z"));
  const { db, listen } = database;
  const ids = createIds({ clock, random: randomBytes });
  const audit = createAudit({ db, clock, ids });
  const metrics = createMetrics({ clock, log: silentLog });
  const publicHost = options.publicHost ?? null;
  const sealer = createTestSealer();
  const identity = createIdentity({
    ...{ db, listen, clock, ids, random: randomBytes, audit, log: silentLog, metrics, publicHost },
    ...(options.geo ? { geo: options.geo } : {}),
    config: { ...identityConfig.parse({}), ...options.config },
    publicUrl: options.publicUrl ?? PUBLIC_URL,
    dataDirectory: directory.path,
    sealer,
    readSecret: async () => "the client's secret",
    // The real one starts a thread for each password; it has tests of its own.
    passwordChecks: [],
    passwordCost: { memoryKib: 64, passes: 1, lanes: 1 },
  });
  const keys = createSigningKeys({ db, clock, random: randomBytes, sealer, audit });
  const publish = async () => {};
  const tokens = createTokens({ keys, issuer: "urn:mainstay", clock, ids, log: silentLog, publish });
  if (options.hasTokens) await tokens.start();
  const limits = { host: "127.0.0.1", port: 7700, bodyLimit: 65_536 };
  const times = { requestTimeout: 30_000, shutdownTimeout: 1_000 };
  const http = createHttp({
    config: { ...limits, ...times, publicHost, allowedHosts: [] },
    version: "1.2.3",
    ...{ log: silentLog, clock, ids, metrics },
    authenticate: async (credentials) =>
      (options.hasTokens ? await tokens.authenticate(credentials) : null) ??
      identity.authenticate(credentials),
    idempotencyStore: createIdempotencyStore({
      ...{ db, clock, ids },
      fingerprintKey: createFingerprintKey({ db, sealer, random: randomBytes }),
    }),
  });
  identity.accounts.addRoutes(http);
  addAccessRoutes(http, identity.access);
  addKeysRoutes(http, identity.access);
  if (options.hasTokens) addTokensRoutes(http, tokens);

  /** A request; the answer's document is there as `body`. */
  async function ask(method: Method, url: string, asking: Asking = {}) {
    const { token = null, body, headers = {}, address = "127.0.0.1" } = asking;
    const answer = await http.inject({
      method,
      url,
      remoteAddress: address,
      headers: {
        host: "localhost:7700",
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: body as object }),
    });
    const isJson = answer.body !== "" && answer.headers["content-type"]?.includes("json");
    const document: unknown = isJson ? answer.json() : answer.body;
    return { status: answer.statusCode, headers: answer.headers, cookies: answer.cookies, body: document };
  }

  const redeem = async (link: string, facts: object = {}) =>
    (
      await ask("POST", "/api/v1/links/redeem", {
        body: { link: link.split("#")[1], password: PASSWORD, transport: "bearer", ...facts },
      })
    ).body as EnteredResource;

  return {
    ...{ database, clock, identity, tokens, http, audit, metrics, ask, redeem },
    dataDirectory: directory.path,
    /** The first administrator, logged in. */
    async setUp(): Promise<EnteredResource> {
      const link = (await identity.accounts.ensureSetupLink()) ?? "";
      return redeem(link, { email: "ann@example.com", name: "Ann", wantsKey: true });
    },
    /** Somebody with a role, who has joined. */
    async join(admin: EnteredResource, role: string, name = "Bob"): Promise<EnteredResource> {
      const body = { email: `${name.toLowerCase()}@example.com`, name, role };
      const invited = await ask("POST", "/api/v1/users", { token: admin.token, body });
      return redeem((invited.body as InvitedResource).link);
    },
    login: (email: string, facts: object = {}, asking: Asking = {}) =>
      ask("POST", "/api/v1/login", {
        ...asking,
        body: { email, password: PASSWORD, transport: "bearer", ...facts },
      }),
    entries: async (action?: string): Promise<AuditEntry[]> =>
      (await audit.list({ limit: 500, filter: action === undefined ? {} : { action } })).entries,
    async close() {
      await tokens.stop();
      await database.close();
      directory.remove();
    },
  };
}
