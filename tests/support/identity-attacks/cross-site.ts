import { family, type Row } from "./attack.ts";
import type { Target } from "./target.ts";

const EVIL = "https://evil.example";

/** An act by cookie, with what a browser would say of the page that it comes from. */
function byCookie(name: string, tries: string, headersOf: (target: Target) => Record<string, string>): Row {
  return [
    name,
    tries,
    async (target) => {
      const { header } = await target.cookieOf(await target.join("Bob"));
      return (await target.alterByCookie(header, headersOf(target))).status >= 400;
    },
  ];
}

function cookieFlag(
  name: string,
  tries: string,
  isThere: (setCookie: string) => boolean,
  isPublic = false,
): Row {
  return [
    name,
    tries,
    async (target) => isThere((await target.cookieOf(await target.join("Bob"))).setCookie),
    isPublic ? { publicHost: "localhost" } : {},
  ];
}

/** Pages of others that make a browser act with its owner's cookies. */
export const CROSS_SITE = family("CSRF", [
  byCookie("origin", "altering an account by cookie from a page of another origin", () => ({ origin: EVIL })),
  byCookie(
    "null-origin",
    "altering an account by cookie from a sandboxed frame, whose Origin is null",
    () => ({
      origin: "null",
    }),
  ),
  byCookie("subdomain-of-attacker", "passing off localhost.evil.example as this server's own origin", () => ({
    origin: "http://localhost.evil.example:7700",
  })),
  byCookie("userinfo", "passing off an Origin with this server's name as its user name", ({ origin }) => ({
    origin: EVIL.replace("https://", `https://${new URL(origin).host}@`),
  })),
  byCookie("port", "altering an account by cookie from another port of this machine", () => ({
    origin: "http://localhost:9999",
  })),
  byCookie(
    "sec-fetch",
    "altering an account by cookie across sites, as Sec-Fetch-Site says",
    ({ origin }) => ({
      "sec-fetch-site": "cross-site",
      origin,
    }),
  ),
  byCookie("same-site", "altering an account by cookie from a sibling domain", () => ({
    "sec-fetch-site": "same-site",
    origin: "http://other.localhost:7700",
  })),
  byCookie("silent", "altering an account by cookie while saying nothing of where it comes from", () => ({})),
  byCookie(
    "referer",
    "altering an account by cookie with a Referer alone that looks right",
    ({ origin }) => ({
      referer: `${origin}/`,
    }),
  ),
  byCookie(
    "method-override",
    "altering an account by cookie with a method that pretends to be another",
    () => ({
      origin: EVIL,
      "x-http-method-override": "GET",
    }),
  ),
  [
    "form-post",
    "altering an account by cookie with a form, whose type needs no leave of this server",
    async (target) => {
      const { header } = await target.cookieOf(await target.join("Bob"));
      const headers = { "content-type": "text/plain", origin: EVIL };
      return (await target.alterByCookie(header, headers)).status >= 400;
    },
  ],
  [
    "login",
    "logging a visitor of another page in to an account of the attacker's",
    async (target) => {
      const bob = await target.join("Bob");
      const headers = { origin: EVIL, "sec-fetch-site": "cross-site" };
      return (await target.login(bob, { headers })).session === null;
    },
  ],
  cookieFlag("script", "reading the cookie of a session by a script", (cookie) => /httponly/i.test(cookie)),
  cookieFlag("same-site-flag", "having the cookie of a session sent along from other sites", (cookie) =>
    /samesite=(lax|strict)/i.test(cookie),
  ),
  cookieFlag(
    "domain-flag",
    "having the cookie of a session sent to sibling domains",
    (cookie) => cookie !== "" && !/domain=/i.test(cookie),
  ),
  cookieFlag(
    "host-prefix",
    "having the cookie of a session overwritten, or read over plain HTTP, where there is HTTPS",
    (cookie) => /__Host-/.test(cookie) && /; secure/i.test(cookie),
    true,
  ),
  [
    "framed",
    "putting a page of the server into a frame",
    async (target) => {
      const { headers } = await target.scene().ask("GET", "/setup");
      const policy = String(headers["content-security-policy"]);
      return headers["x-frame-options"] === "DENY" && policy.includes("frame-ancestors 'none'");
    },
  ],
  [
    "cors",
    "reading an answer from a page of another origin",
    async (target) => {
      const { header } = await target.cookieOf(await target.join("Bob"));
      const headers = { cookie: header, origin: EVIL };
      const answer = await target.scene().ask("GET", "/api/v1/account", { headers });
      return answer.headers["access-control-allow-origin"] === undefined;
    },
  ],
  [
    "setup-link",
    "having a visitor of another page redeem a one-time link",
    async (target) => {
      const { ask, invite } = target.scene();
      const { link } = await invite("viewer");
      const body = { link: link.split("#")[1], password: "seven lamps under water" };
      return (await ask("POST", "/api/v1/links/redeem", { body, headers: { origin: EVIL } })).status === 403;
    },
  ],
]);
