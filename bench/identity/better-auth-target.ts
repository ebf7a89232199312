import type { Pool } from "pg";
import { createAuthenticator } from "../../tests/support/authenticator.ts";
import { createAppCodes } from "../../tests/support/identity-attacks/app-codes.ts";
import { NotApplicable } from "../../tests/support/identity-attacks/attack.ts";
import { dumpOf } from "../../tests/support/identity-attacks/mainstay-target.ts";
import type { Entry, From, Target } from "../../tests/support/identity-attacks/target.ts";
import type { BetterAuth } from "./better-auth.ts";

const PASSWORD = "seven lamps under water";
const DAY_SECONDS = 86_400;

interface Asking extends From {
  cookie?: string | null;
  body?: object;
  method?: "GET" | "POST";
}

export interface BetterAuthParts {
  auth: BetterAuth;
  pool: Pool;
  origin: string;
  advance(ms: number): void;
  close(): Promise<void>;
}

/**
 * better-auth with its plugins as the target of the same attacks. A session is the cookie that stands for it.
 */
export function createBetterAuthTarget({ auth, pool, origin, advance, close }: BetterAuthParts): Target {
  let visitors = 0;
  /** What only prepares an attack comes from addresses of its own, so that no limit is reached by it. */
  function fromElsewhere(): string {
    visitors += 1;
    return `100.64.${visitors >> 8}.${visitors & 255}`;
  }

  /** As behind a proxy that appends the address it sees to X-Forwarded-For. */
  async function ask(path: string, { cookie, body, headers = {}, address, method }: Asking = {}) {
    const { "x-forwarded-for": told, ...others } = headers;
    const seen = address ?? fromElsewhere();
    const request = new Request(`${origin}/api/auth${path}`, {
      method: method ?? (body ? "POST" : "GET"),
      headers: {
        host: new URL(origin).host,
        "x-forwarded-for": told === undefined ? seen : `${told}, ${seen}`,
        ...(body ? { "content-type": "application/json" } : {}),
        ...(cookie ? { cookie } : {}),
        ...others,
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const response = await auth.handler(request);
    const text = await response.text();
    return { status: response.status, text, setCookies: response.headers.getSetCookie() };
  }
  const own = { headers: { origin } };

  const cookieFrom = (setCookies: readonly string[]): string =>
    setCookies
      .filter((each) => !/max-age=0/i.test(each))
      .map((each) => each.split(";")[0])
      .join("; ");

  function toEntry({ status, text, setCookies }: Awaited<ReturnType<typeof ask>>): Entry {
    const cookie = cookieFrom(setCookies);
    const isIn = status === 200 && cookie.includes("session_token=");
    const isHalf = status === 200 && text.includes("twoFactorRedirect");
    return { status, text, session: isIn ? cookie : null, challenge: isHalf && !isIn ? cookie : null };
  }

  const visit = ({ headers = {}, address = "127.0.0.1" }: From = {}): From => ({
    address,
    headers: { origin, ...headers },
  });

  return {
    name: "better-auth",
    origin,
    scene() {
      throw new NotApplicable("it has nothing of the kind, or leaves it to the application");
    },
    async join(name) {
      const email = `${name.toLowerCase()}@example.com`;
      const body = { email, name, password: PASSWORD };
      const made = await ask("/sign-up/email", { ...own, body });
      const { user }: { user: { id: string } } = JSON.parse(made.text);
      return { email, password: PASSWORD, id: user.id, session: cookieFrom(made.setCookies) };
    },
    login: async ({ email, password }, from) =>
      toEntry(await ask("/sign-in/email", { ...visit(from), body: { email, password } })),
    async finish(challenge, code, from) {
      const isRecovery = /[a-z]/i.test(code);
      const path = isRecovery ? "/two-factor/verify-backup-code" : "/two-factor/verify-totp";
      return toEntry(await ask(path, { ...visit(from), cookie: challenge, body: { code } }));
    },
    async whoIs(session) {
      const { text } = await ask("/get-session", { cookie: session });
      const found: { user: { id: string } } | null = text === "" ? null : JSON.parse(text);
      return found?.user.id ?? null;
    },
    logOut: async (session) => void (await ask("/sign-out", { ...own, cookie: session, body: {} })),
    endOthers: async (session) =>
      void (await ask("/revoke-other-sessions", { ...own, cookie: session, body: {} })),
    async changePassword(session, { current, password }) {
      const body = { currentPassword: current, newPassword: password, revokeOtherSessions: true };
      const { status, setCookies } = await ask("/change-password", { ...own, cookie: session, body });
      return status === 200 ? cookieFrom(setCookies) : null;
    },
    async enrolApp(person) {
      const begun = await ask("/two-factor/enable", {
        ...{ ...own, cookie: person.session, body: { password: person.password } },
      });
      const { totpURI, backupCodes }: { totpURI: string; backupCodes: string[] } = JSON.parse(begun.text);
      const secret = new URL(totpURI).searchParams.get("secret") ?? "";
      const code = createAppCodes(secret, () => Date.now());
      const body = { code: code() };
      const confirmed = await ask("/two-factor/verify-totp", { ...own, cookie: person.session, body });
      const fresh = cookieFrom(confirmed.setCookies);
      if (fresh.includes("session_token=")) person.session = fresh;
      advance(30_000);
      return { code, recovery: backupCodes };
    },
    async addPasskey({ session }, change) {
      const authenticator = createAuthenticator(origin);
      const begun = await ask("/passkey/generate-register-options", { ...own, cookie: session });
      const response = authenticator.create(JSON.parse(begun.text), change);
      const cookie = `${session}; ${cookieFrom(begun.setCookies)}`;
      const body = { response, name: "laptop" };
      const { status, text } = await ask("/passkey/verify-registration", { ...own, cookie, body });
      return { status, text, authenticator };
    },
    async beginPasskey() {
      const begun = await ask("/passkey/generate-authenticate-options", own);
      const cookie = cookieFrom(begun.setCookies);
      return {
        options: JSON.parse(begun.text),
        finish: async (response) =>
          toEntry(await ask("/passkey/verify-authentication", { ...own, cookie, body: { response } })),
      };
    },
    async makeKey({ id }, lifetimeSeconds = 30 * DAY_SECONDS) {
      const body = { userId: id, name: "key", expiresIn: lifetimeSeconds, rateLimitEnabled: false };
      const made = await auth.api.createApiKey({ body });
      return { id: made.id, text: made.key };
    },
    doesKeyHold: async (key) => (await auth.api.verifyApiKey({ body: { key } })).valid,
    revokeKey: async ({ session }, keyId) =>
      void (await ask("/api-key/delete", { ...own, cookie: session, body: { keyId } })),
    async makeToken({ session }) {
      const { token }: { token: string } = JSON.parse((await ask("/token", { cookie: session })).text);
      return token;
    },
    doesTokenHold: async (token) =>
      auth.api.verifyJWT({ body: { token } }).then(
        ({ payload }) => payload !== null,
        () => false,
      ),
    async tokenKeys() {
      const { keys }: { keys: Record<string, unknown>[] } = JSON.parse((await ask("/jwks")).text);
      return keys;
    },
    async cookieOf({ email, password }) {
      const { setCookies } = await ask("/sign-in/email", { ...own, body: { email, password } });
      return { header: cookieFrom(setCookies), setCookie: setCookies.join("\n") };
    },
    alterByCookie: (cookie, headers) => ask("/update-user", { cookie, headers, body: { name: "Altered" } }),
    advance: async (ms) => advance(ms),
    stored: () => dumpOf(pool),
    close,
  };
}
