import type { EnteredResource, ShownKey, TotpSecret } from "@mainstay/api";
import { createAuthenticator } from "../authenticator.ts";
import { PASSWORD, PUBLIC_URL } from "../identity-house.ts";
import { createAppCodes } from "./app-codes.ts";
import { openScene, type SceneSettings } from "./scene.ts";
import type { Answer, Entry, From, Person, Target } from "./target.ts";

const ACCOUNT = "/api/v1/account";
type Answered = { status: number; body: unknown };

/** Mainstay as the target of attacks: its routes over a real PostgreSQL, on a clock of the test's own. */
export async function openMainstay(settings: SceneSettings = {}): Promise<Target> {
  const scene = await openScene(settings);
  const { house, ask, admin } = scene;
  const { clock } = house;

  async function redo(path: string, asking: object): Promise<Entry> {
    return toEntry(await ask("POST", `/api/v1/login${path}`, asking));
  }
  const transport = "bearer";
  let keys = 0;

  return {
    name: "Mainstay",
    origin: PUBLIC_URL,
    scene: () => scene,
    async join(name): Promise<Person> {
      const { user, token } = await scene.join("viewer", name);
      return { email: user.email, password: PASSWORD, id: user.id, session: token ?? "" };
    },
    login: (given, from: From = {}) => redo("", { ...from, body: { ...given, transport } }),
    finish: (challenge, code, from: From = {}) =>
      redo("/second-factor", { ...from, body: { challenge, code, transport } }),
    async whoIs(session) {
      const { status, body } = await ask("GET", ACCOUNT, { token: session });
      return status === 200 ? (body as { user: { id: string } }).user.id : null;
    },
    logOut: async (session) => void (await ask("DELETE", `${ACCOUNT}/sessions/current`, { token: session })),
    endOthers: async (session) =>
      void (await ask("POST", `${ACCOUNT}/sessions/end-others`, { token: session })),
    async changePassword(session, change) {
      const { status, body } = await ask("POST", `${ACCOUNT}/password`, { token: session, body: change });
      return status === 200 ? (body as { token: string }).token : null;
    },
    async enrolApp({ session }) {
      const begun = await ask("POST", `${ACCOUNT}/factors/totp`, { token: session });
      const code = createAppCodes((begun.body as TotpSecret).secret, () => clock.now().getTime());
      const first = { token: session, body: { code: code() } };
      const { body } = await ask("POST", `${ACCOUNT}/factors/totp/confirm`, first);
      await clock.advance(30_000);
      return { code, recovery: (body as { codes: string[] }).codes };
    },
    async addPasskey({ session }, change) {
      const authenticator = createAuthenticator(PUBLIC_URL);
      const begun = await ask("POST", `${ACCOUNT}/passkeys/options`, { token: session });
      const { challenge, options } = begun.body as { challenge: string; options: object };
      const body = { challenge, name: "laptop", response: authenticator.create(options, change) };
      const answer = await ask("POST", `${ACCOUNT}/passkeys`, { token: session, body });
      return { ...toAnswer(answer), authenticator };
    },
    async beginPasskey() {
      const { body } = await ask("POST", "/api/v1/login/passkey/options");
      const { challenge, options } = body as { challenge: string; options: object };
      const finish = (response: object) => redo("/passkey", { body: { challenge, response, transport } });
      return { options, finish };
    },
    async makeKey({ id }, expiresInSeconds) {
      keys += 1;
      const grant = { permissions: ["keys.read"], owner: { type: "user", id } };
      await admin("POST", "/api/v1/grants", {
        body: { subject: { type: "user", id }, role: "operator" },
      });
      const body = { name: `k${keys}`, ...grant, ...(expiresInSeconds ? { expiresInSeconds } : {}) };
      const { key, secret } = (await admin("POST", "/api/v1/keys", { body })).body as ShownKey;
      return { id: key.id, text: secret };
    },
    doesKeyHold: async (text) => (await ask("GET", "/api/v1/keys", { token: text })).status === 200,
    revokeKey: async (_person, id) => void (await admin("POST", `/api/v1/keys/${id}/revoke`, { body: {} })),
    async makeToken({ session }) {
      const body = { permissions: ["api.read"] };
      const { body: made } = await ask("POST", "/api/v1/tokens", { token: session, body });
      return (made as { token: string }).token;
    },
    doesTokenHold: async (text) => (await ask("GET", "/api/v1/openapi.json", { token: text })).status === 200,
    async tokenKeys() {
      const { body } = await ask("GET", "/.well-known/jwks.json");
      return (body as { keys: Record<string, unknown>[] }).keys;
    },
    async cookieOf({ email, password }) {
      const { headers, cookies } = await ask("POST", "/api/v1/login", { body: { email, password } });
      const setCookie = [headers["set-cookie"]].flat().join("\n");
      return { header: cookies.map(({ name, value }) => `${name}=${value}`).join("; "), setCookie };
    },
    async alterByCookie(cookie, headers) {
      const asking = { headers: { cookie, ...headers }, body: { name: "Altered" } };
      return toAnswer(await ask("PATCH", ACCOUNT, asking));
    },
    advance: (ms) => clock.advance(ms),
    stored: () => dumpOf(house.database.pool),
    close: scene.close,
  };
}

function toAnswer({ status, body }: Answered): Answer {
  return { status, text: JSON.stringify(body) ?? "" };
}

function toEntry(answered: Answered): Entry {
  const body = (answered.body ?? {}) as Partial<EnteredResource> & { challenge?: string };
  const isIn = answered.status < 300;
  return {
    ...toAnswer(answered),
    session: isIn ? (body.token ?? null) : null,
    challenge: isIn ? (body.challenge ?? null) : null,
  };
}

interface Queryable {
  query(text: string): Promise<{ rows: Record<string, unknown>[] }>;
}

/** Every row of every table of a database, as text; bytes both in hex and as what they spell. */
export async function dumpOf(pool: Queryable): Promise<string> {
  const tables = await pool.query(
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
  );
  const texts: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await pool.query(`select * from ${String(name)}`);
    for (const value of rows.flatMap((row) => Object.values(row)))
      texts.push(
        Buffer.isBuffer(value)
          ? `${value.toString("hex")} ${value.toString("latin1")}`
          : JSON.stringify(value),
      );
  }
  return texts.join("\n");
}
