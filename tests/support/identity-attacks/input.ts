import { family, type Row } from "./attack.ts";
import type { Scene } from "./scene.ts";

const USERS = "/api/v1/users";
const PASSWORD = "seven lamps under water";

/**
 * Something malformed that has to be answered as the mistake it is: neither let in nor breaking the server.
 */
function malformed(name: string, tries: string, act: (scene: Scene) => ReturnType<Scene["ask"]>): Row {
  return [
    name,
    tries,
    async (target) => {
      const { status } = await act(target.scene());
      return status >= 400 && status < 500;
    },
  ];
}

/** Names that pass for others, and input that means something to whoever reads it. */
export const INPUT = family("identifiers and input", [
  malformed("nul-email", "logging in with a NUL in the address", ({ house }) =>
    house.login("ann@example.com\0"),
  ),
  malformed("nul-id", "asking for somebody by an id with a NUL in it", ({ admin }) =>
    admin("GET", `${USERS}/usr_%00`),
  ),
  malformed("nul-name", "inviting somebody with a NUL in the name", ({ admin }) =>
    admin("POST", USERS, { body: { email: "x@example.com", name: "X\0Y", role: "viewer" } }),
  ),
  malformed("nul-key-name", "making a key with a NUL in its name", ({ admin }) =>
    admin("POST", "/api/v1/keys", { body: { name: "x\0y", role: "viewer" } }),
  ),
  malformed("nul-member", "taking somebody with a NUL in the id into a team", async ({ admin }) => {
    await admin("POST", "/api/v1/teams", { body: { name: "web" } });
    return admin("POST", "/api/v1/teams/web/members", { body: { user: "usr\0" } });
  }),
  malformed("nul-role", "removing a role with a NUL in its name", ({ admin }) =>
    admin("DELETE", "/api/v1/roles/x%00"),
  ),
  malformed("nul-subject", "granting a role to somebody with a NUL in the id", ({ admin }) =>
    admin("POST", "/api/v1/grants", { body: { subject: { type: "user", id: "usr\0" }, role: "viewer" } }),
  ),
  malformed("nul-passkey", "logging in with a passkey whose id holds a NUL", async ({ ask }) => {
    const { body } = await ask("POST", "/api/v1/login/passkey/options");
    const parts = { clientDataJSON: "e30", authenticatorData: "e30", signature: "e30" };
    const response = { id: "\0", rawId: "x", type: "public-key", response: parts };
    const { challenge } = body as { challenge: string };
    return ask("POST", "/api/v1/login/passkey", { body: { challenge, response } });
  }),
  malformed("line-break", "putting a line break into an address", ({ admin }) =>
    admin("POST", USERS, { body: { email: "x@example.com\nbcc:y", name: "X", role: "viewer" } }),
  ),
  malformed("sql", "putting SQL into the address of a login", ({ house }) =>
    house.login("ann@example.com' or '1'='1"),
  ),
  malformed("wildcard", "logging in with a wildcard for the address", ({ house }) => house.login("%@%")),
  malformed("object", "logging in with an object for the address", ({ ask }) =>
    ask("POST", "/api/v1/login", { body: { email: { $ne: null }, password: PASSWORD } }),
  ),
  malformed("list", "logging in with a list of passwords", ({ ask }) =>
    ask("POST", "/api/v1/login", { body: { email: "ann@example.com", password: [PASSWORD, "another one"] } }),
  ),
  malformed("prototype", "bringing a __proto__ along", ({ ask }) =>
    ask("POST", "/api/v1/login", {
      headers: { "content-type": "application/json" },
      body: `{"email":"ann@example.com","__proto__":{"state":"active"},"password":"x"}`,
    }),
  ),
  malformed("long-email", "logging in with an address of 100 kB", ({ house }) =>
    house.login(`${"a".repeat(60_000)}@example.com`),
  ),
  malformed("long-password", "having a password of 60 kB hashed", ({ house }) =>
    house.login("ann@example.com", { password: "x".repeat(60_000) }),
  ),
  malformed("nul-password", "logging in with the right password, cut off by a NUL", ({ house }) =>
    house.login("ann@example.com", { password: `${PASSWORD}\0and more` }),
  ),
  malformed("long-token", "showing a session's token of 7 kB", ({ ask }) =>
    ask("GET", "/api/v1/account", { token: `ms_${"a".repeat(7_000)}` }),
  ),
  malformed("path", "reaching another route through an id", ({ ask, ann }) =>
    ask("GET", "/api/v1/account/sessions/..%2f..%2f..%2fusers", { token: ann.token }),
  ),
  [
    "case",
    "inviting a second person under the same address in capitals",
    async (target) => {
      const body = { email: "ANN@EXAMPLE.COM", name: "Eve", role: "viewer" };
      return (await target.scene().admin("POST", USERS, { body })).status === 409;
    },
  ],
  [
    "homoglyph",
    "logging in as somebody whose address looks the same, with a Cyrillic letter",
    async (target) => {
      const { admin, house, ann } = target.scene();
      const body = { email: "\u0430nn@example.com", name: "Eve", role: "viewer" };
      const { body: invited } = await admin("POST", USERS, { body });
      const eve = await house.redeem((invited as { link: string }).link);
      return eve.user.id !== ann.user.id && (await house.login(body.email)).status === 200;
    },
  ],
  [
    "compatible-letters",
    "logging in as somebody with letters that Unicode folds into theirs",
    async (target) => {
      const { house } = target.scene();
      const wide = "\uff41\uff4e\uff4e@example.com";
      return (await house.login(wide)).status === 401;
    },
  ],
  [
    "trailing-space",
    "inviting a second person under the same address with spaces around it",
    async (target) => {
      const body = { email: "  ann@example.com ", name: "Eve", role: "viewer" };
      return (await target.scene().admin("POST", USERS, { body })).status === 409;
    },
  ],
]);

const EVIL = "evil.example";

function limitedBy(header: string, valueOf: (index: number) => string): Row {
  return [
    header,
    `escaping the limit of an address by ${header}`,
    async (target) => {
      const statuses: number[] = [];
      for (let index = 0; index < 40; index += 1) {
        const given = { email: `u${index}@example.com`, password: "x" };
        statuses.push((await target.login(given, { headers: { [header]: valueOf(index) } })).status);
      }
      return statuses.includes(429);
    },
  ];
}

/** Headers that say something about the client or the server that is not so. */
export const HEADERS = family("header spoofing", [
  limitedBy("x-real-ip", (index) => `203.0.113.${index}`),
  limitedBy("forwarded", (index) => `for=203.0.113.${index}`),
  limitedBy("cf-connecting-ip", (index) => `203.0.113.${index}`),
  limitedBy("true-client-ip", (index) => `203.0.113.${index}`),
  limitedBy("x-client-ip", (index) => `203.0.113.${index}`),
  [
    "audited-address",
    "having another address audited than the one that a login was tried from",
    async (target) => {
      const { house } = target.scene();
      const headers = { "x-forwarded-for": "203.0.113.66" };
      await house.login("ann@example.com", { password: "x" }, { headers, address: "198.51.100.4" });
      const [entry] = await house.entries("identity.login_refused");
      return entry?.address === "198.51.100.4";
    },
  ],
  [
    "audited-address-behind-proxy",
    "having another address audited by a list that the proxy only appends to",
    async (target) => {
      const { house } = target.scene();
      const headers = { host: "mainstay.example.com", "x-forwarded-for": "203.0.113.66, 198.51.100.4" };
      await house.login("ann@example.com", { password: "x" }, { headers });
      const [entry] = await house.entries("identity.login_refused");
      return entry?.address === "198.51.100.4";
    },
    { publicHost: "mainstay.example.com" },
  ],
  [
    "public-host-from-outside",
    "passing for the proxy by its host and X-Forwarded-For, from another machine",
    async (target) => {
      const { house } = target.scene();
      const headers = { host: "mainstay.example.com", "x-forwarded-for": "127.0.0.1" };
      await house.login("ann@example.com", { password: "x" }, { headers, address: "198.51.100.4" });
      const [entry] = await house.entries("identity.login_refused");
      return entry?.address === "198.51.100.4";
    },
    { publicHost: "mainstay.example.com" },
  ],
  [
    "rebinding",
    "asking under a name of the attacker's that was made to lead here",
    async (target) => {
      const { ask, ann } = target.scene();
      const headers = { host: `${EVIL}:7700` };
      return (await ask("GET", "/api/v1/account", { token: ann.token, headers })).status === 421;
    },
  ],
  [
    "local-name",
    "asking under a name that only begins like this machine's",
    async (target) => {
      const { ask, ann } = target.scene();
      const headers = { host: `localhost.${EVIL}` };
      return (await ask("GET", "/api/v1/account", { token: ann.token, headers })).status === 421;
    },
  ],
  [
    "request-id",
    "writing lines of one's own into logs and audit by the id of a request",
    async (target) => {
      const { house } = target.scene();
      const headers = { "x-request-id": 'x","actor":"root' };
      await house.login("ann@example.com", { password: "x" }, { headers });
      const [entry] = await house.entries("identity.login_refused");
      return !String(entry?.requestId).includes("actor");
    },
  ],
  [
    "user-agent",
    "having a page of one's own shown in the list of sessions by the name of a browser",
    async (target) => {
      const { ask, house } = target.scene();
      const headers = { "user-agent": "<script>alert(1)</script>" };
      const { body } = await house.login("ann@example.com", {}, { headers });
      const { token } = body as { token: string };
      const { body: list } = await ask("GET", "/api/v1/account/sessions", { token });
      return token !== undefined && !JSON.stringify(list).includes("<script>");
    },
  ],
]);
