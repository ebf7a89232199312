import { createHmac, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { family, type Row } from "./attack.ts";
import type { Target } from "./target.ts";

type Parts = { header: Record<string, unknown>; claims: Record<string, unknown>; signature: string };

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (text = ""): Record<string, unknown> => JSON.parse(Buffer.from(text, "base64url").toString());

function partsOf(token: string): Parts {
  const [header, claims, signature = ""] = token.split(".");
  return { header: decode(header), claims: decode(claims), signature };
}

const join = ({ header, claims, signature }: Parts) => `${encode(header)}.${encode(claims)}.${signature}`;

/** Signed with another Ed25519 key than the one that counts. */
function forge({ header, claims }: Omit<Parts, "signature">): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  const { privateKey } = generateKeyPairSync("ed25519");
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString("base64url")}`;
}

/** A right token that was made into another one. */
function altered(
  name: string,
  tries: string,
  alter: (token: string, target: Target) => string | Promise<string>,
): Row {
  return [
    name,
    tries,
    async (target) => {
      const token = await target.makeToken(await target.join("Bob"));
      if (!(await target.doesTokenHold(token))) throw new Error("a right token is refused");
      return !(await target.doesTokenHold(await alter(token, target)));
    },
  ];
}

const withHeader = (change: object) => (token: string) => {
  const parts = partsOf(token);
  return join({ ...parts, header: { ...parts.header, ...change } });
};
const withClaims = (change: object) => (token: string) => {
  const parts = partsOf(token);
  return join({ ...parts, claims: { ...parts.claims, ...change } });
};
const unsigned = (alg: string) => (token: string) => {
  const { header, claims } = partsOf(token);
  return join({ header: { ...header, alg }, claims, signature: "" });
};

/** HMAC over a token with something public as its secret. */
function hmac(secretOf: (key: Record<string, unknown>) => string | Buffer) {
  return async (token: string, target: Target) => {
    const [key = {}] = await target.tokenKeys();
    const { header, claims } = partsOf(token);
    const signed = `${encode({ ...header, alg: "HS256" })}.${encode(claims)}`;
    return `${signed}.${createHmac("sha256", secretOf(key)).update(signed).digest("base64url")}`;
  };
}

/** Short-lived tokens that say something else than what was signed (RFC 8725). */
export const TOKENS = family("JWT confusion", [
  altered("none", "taking the signature away and naming the algorithm none", unsigned("none")),
  altered("none-spelled", "naming the algorithm nOnE", unsigned("nOnE")),
  altered("no-algorithm", "naming no algorithm at all", (token) => {
    const { header, claims } = partsOf(token);
    const { alg: _, ...others } = header;
    return join({ header: others, claims, signature: "" });
  }),
  altered("no-signature", "taking the signature away and leaving the rest", (token) =>
    join({ ...partsOf(token), signature: "" }),
  ),
  altered(
    "hs256-x",
    "signing by HMAC with the public key as the secret",
    hmac(({ x, n }) => String(x ?? n)),
  ),
  altered(
    "hs256-jwk",
    "signing by HMAC with the published JSON of the key as the secret",
    hmac(JSON.stringify),
  ),
  altered(
    "hs256-bytes",
    "signing by HMAC with the bytes of the public key as the secret",
    hmac(({ x, n }) => Buffer.from(String(x ?? n), "base64url")),
  ),
  altered(
    "hs256-empty",
    "signing by HMAC with an empty secret",
    hmac(() => ""),
  ),
  altered("foreign-key", "signing with a key of the attacker's under the right key's name", (token) =>
    forge(partsOf(token)),
  ),
  altered("embedded-key", "bringing the key to verify with along in the header", (token) => {
    const { header, claims } = partsOf(token);
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const signed = `${encode({ ...header, jwk: publicKey.export({ format: "jwk" }) })}.${encode(claims)}`;
    return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString("base64url")}`;
  }),
  altered("key-url", "naming an address to fetch the key from", (token) => {
    const { header, claims } = partsOf(token);
    return forge({ header: { ...header, jku: "https://evil.example/jwks.json" }, claims });
  }),
  altered("certificate", "bringing a certificate to verify with along", (token) => {
    const { header, claims } = partsOf(token);
    return forge({ header: { ...header, x5c: ["MIIB"] }, claims });
  }),
  altered("key-id-path", "naming a file as the key", withHeader({ kid: "../../../../dev/null" })),
  altered("key-id-sql", "putting SQL into the key's name", withHeader({ kid: "x' union select 'key" })),
  altered(
    "key-id-prototype",
    "naming a property of every object as the key",
    withHeader({ kid: "__proto__" }),
  ),
  altered("no-key-id", "naming no key", withHeader({ kid: undefined })),
  altered("critical", "demanding an extension that nobody knows", withHeader({ crit: ["exp"] })),
  altered("zero-signature", "signing with nothing but zeros", (token) =>
    join({ ...partsOf(token), signature: Buffer.alloc(64).toString("base64url") }),
  ),
  altered("subject", "naming somebody else as the subject", withClaims({ sub: "user:usr_admin" })),
  altered("scope", "adding permissions", withClaims({ scope: "api.read audit.read access.write" })),
  altered("longer", "putting the end a year later", withClaims({ exp: 4_000_000_000 })),
  altered("audience", "naming another audience", withClaims({ aud: "agent" })),
  altered("issuer", "naming another issuer", withClaims({ iss: "https://evil.example" })),
  altered("duplicate", "naming the subject twice, for readers who differ on which one counts", (token) => {
    const [header, claims = "", signature] = token.split(".");
    const text = Buffer.from(claims, "base64url").toString().replace("{", '{"sub":"user:usr_admin",');
    return [header, Buffer.from(text).toString("base64url"), signature].join(".");
  }),
  altered("cut", "cutting the signature in half", (token) => token.slice(0, -40)),
  altered(
    "swapped",
    "putting the claims of one token under the signature of another",
    async (token, target) => {
      const other = partsOf(await target.makeToken(await target.join("Eve")));
      return join({ ...other, signature: partsOf(token).signature });
    },
  ),
  altered("long", "sending a token of a megabyte", () => `eyJ${"a".repeat(1_000)}.${"b".repeat(7_000)}.c`),
  altered("encrypted", "sending the five parts of an encrypted token", (token) => `${token}.${encode({})}.x`),
  [
    "expired",
    "using a token after its minutes",
    async (target) => {
      const token = await target.makeToken(await target.join("Bob"));
      await target.advance(20 * 60_000);
      return !(await target.doesTokenHold(token));
    },
  ],
  [
    "respelled",
    "writing the same signature in another way, so that one token becomes two",
    async (target) => {
      const token = await target.makeToken(await target.join("Bob"));
      const last = token.at(-1) ?? "";
      const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
      const sibling = alphabet[alphabet.indexOf(last) ^ 1] ?? "";
      return !(await target.doesTokenHold(token.slice(0, -1) + sibling));
    },
  ],
  [
    "revoked-key",
    "using a token whose key was revoked",
    async (target) => {
      const { admin } = target.scene();
      const token = await target.makeToken(await target.join("Bob"));
      await admin("POST", "/api/v1/tokens/rotate", { body: { revoke: true } });
      return !(await target.doesTokenHold(token));
    },
  ],
  [
    "agents-token",
    "using the token that the agent is called with",
    async (target) => !(await target.doesTokenHold(target.scene().house.tokens.forAgent())),
  ],
  [
    "more-than-maker",
    "having a token made that may read more than its maker",
    async (target) => {
      const { session } = await target.join("Bob");
      const asking = { token: session, body: { permissions: ["audit.read"] } };
      return (await target.scene().ask("POST", "/api/v1/tokens", asking)).status === 403;
    },
  ],
  [
    "writing",
    "having a token made that may alter something",
    async (target) => {
      const { ask, ann } = target.scene();
      const asking = { token: ann.token, body: { permissions: ["access.write"] } };
      return (await ask("POST", "/api/v1/tokens", asking)).status === 400;
    },
  ],
  [
    "renewing",
    "having a token renewed by itself, for ever",
    async (target) => {
      const token = await target.makeToken(await target.join("Bob"));
      const asking = { token, body: { permissions: ["api.read"] } };
      return (await target.scene().ask("POST", "/api/v1/tokens", asking)).status === 401;
    },
  ],
  [
    "as-session",
    "reading an account with a token that may read the API's description",
    async (target) => {
      const token = await target.makeToken(await target.join("Bob"));
      return (await target.whoIs(token)) === null;
    },
  ],
  [
    "private-key",
    "finding the private half among the published keys, or in the database",
    async (target) => {
      const keys = await target.tokenKeys();
      const stored = await target.stored();
      return keys.length > 0 && keys.every((key) => key["d"] === undefined) && !/"d":/.test(stored);
    },
  ],
  [
    "random",
    "sending random bytes in the form of a token",
    async (target) => {
      const part = () => randomBytes(40).toString("base64url");
      return !(await target.doesTokenHold(`eyJ${part()}.${part()}.${part()}`));
    },
  ],
]);
