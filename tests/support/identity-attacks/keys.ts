import type { ShownKey } from "@mainstay/api";
import { family, type Row } from "./attack.ts";
import type { Scene } from "./scene.ts";
import type { Target } from "./target.ts";

const KEYS = "/api/v1/keys";
const GRANTS = "/api/v1/grants";

/** A right key that was made into another text. */
function altered(name: string, tries: string, alter: (key: string) => string): Row {
  return [
    name,
    tries,
    async (target) => {
      const { text } = await target.makeKey(await target.join("Bob"));
      if (!(await target.doesKeyHold(text))) throw new Error("a right key is refused");
      return !(await target.doesKeyHold(alter(text)));
    },
  ];
}

/** A key of somebody's own, made with their session. */
async function ownKey({ ask }: Scene, token: string | null, wish: object) {
  return ask("POST", KEYS, { token, body: { name: "own", ...wish } });
}

const secretOf = ({ body }: { body: unknown }) => (body as ShownKey).secret;
const idOf = ({ body }: { body: unknown }) => (body as ShownKey).key.id;
const flip = (text: string, at: number) => {
  const index = at < 0 ? text.length + at : at;
  return text.slice(0, index) + (text[index] === "a" ? "b" : "a") + text.slice(index + 1);
};

async function isRefused(target: Target, text: string, address = "127.0.0.1"): Promise<boolean> {
  return (await target.scene().ask("GET", KEYS, { token: text, address })).status === 401;
}

/** API keys that were forged, kept too long, or do more than they were made for. */
export const API_KEYS = family("API keys", [
  altered("secret", "altering one character of the secret", (key) => flip(key, 30)),
  altered("end", "altering the last character", (key) => flip(key, -1)),
  altered("cut", "leaving the last character out", (key) => key.slice(0, -1)),
  altered("longer", "adding a character", (key) => `${key}a`),
  altered("upper", "writing it in upper case", (key) => key.toUpperCase()),
  altered("start-alone", "showing its first half alone", (key) => key.slice(0, key.length / 2)),
  [
    "hash",
    "showing what is stored of a key in place of the key",
    async (target) => {
      const { text } = await target.makeKey(await target.join("Bob"));
      const stored = await target.stored();
      const hashes = stored.match(/[A-Za-z0-9_-]{43,64}/g) ?? [];
      const held = await Promise.all(hashes.slice(0, 60).map((hash) => target.doesKeyHold(hash)));
      return !stored.includes(text.slice(12)) && held.every((holds) => !holds);
    },
  ],
  [
    "revoked",
    "using a key after it was revoked",
    async (target) => {
      const bob = await target.join("Bob");
      const { id, text } = await target.makeKey(bob);
      await target.revokeKey(bob, id);
      return !(await target.doesKeyHold(text));
    },
  ],
  [
    "expired",
    "using a key after its end",
    async (target) => {
      const { text } = await target.makeKey(await target.join("Bob"), 2 * 86_400);
      await target.advance(2 * 86_400_000 + 1);
      return !(await target.doesKeyHold(text));
    },
  ],
  [
    "id-of-another",
    "showing one's own secret under the id of another key",
    async (target) => {
      const { key, ann } = target.scene();
      const [mine, theirs] = [await key({ role: "viewer" }), ann.key ?? ""];
      return isRefused(target, theirs.slice(0, 12) + mine.secret.slice(12));
    },
  ],
  [
    "prototype-id",
    "naming a property of every object as the id",
    async (target) => isRefused(target, `mk___proto___${"a".repeat(48)}`),
  ],
  [
    "other-address",
    "using a key from an address it was not made for",
    async (target) => {
      const { secret } = await target.scene().key({ role: "admin", allowedAddresses: ["192.0.2.0/24"] });
      return isRefused(target, secret, "192.0.3.1");
    },
  ],
  [
    "mapped-address",
    "passing off an address as one of a range by the form of IPv6",
    async (target) => {
      const { secret } = await target.scene().key({ role: "admin", allowedAddresses: ["192.0.2.0/24"] });
      return isRefused(target, secret, "::ffff:192.0.3.1");
    },
  ],
  [
    "forwarded-address",
    "passing off an address as one of a range by headers",
    async (target) => {
      const { ask, key } = target.scene();
      const { secret } = await key({ role: "admin", allowedAddresses: ["192.0.2.0/24"] });
      const headers = {
        "x-forwarded-for": "192.0.2.5",
        "x-real-ip": "192.0.2.5",
        forwarded: "for=192.0.2.5",
      };
      return (await ask("GET", KEYS, { token: secret, headers })).status === 401;
    },
  ],
  [
    "query",
    "showing a key in the address, where logs keep it",
    async (target) => {
      const { ask, ann } = target.scene();
      return (await ask("GET", `${KEYS}?token=${ann.key}&access_token=${ann.key}`)).status === 401;
    },
  ],
  [
    "in-cookie",
    "showing a key in a cookie, which a browser would send by itself",
    async (target) => {
      const { ask, ann } = target.scene();
      const headers = { cookie: `mainstay_session=${ann.key}` };
      return (await ask("GET", KEYS, { headers })).status === 401;
    },
  ],
  [
    "basic",
    "showing a key as the password of HTTP's basic authentication",
    async (target) => {
      const { ask, ann } = target.scene();
      const authorization = `Basic ${Buffer.from(`ann:${ann.key}`).toString("base64")}`;
      return (await ask("GET", KEYS, { headers: { authorization } })).status === 401;
    },
  ],
  [
    "two-credentials",
    "showing two bearer tokens in one header",
    async (target) => {
      const { ask, ann } = target.scene();
      const authorization = `Bearer nonsense, Bearer ${ann.key}`;
      return (await ask("GET", KEYS, { headers: { authorization } })).status === 401;
    },
  ],
  [
    "previous-secret",
    "using the secret from before a rotation after the time both were to hold",
    async (target) => {
      const { admin, key } = target.scene();
      const made = await key({ role: "admin" });
      await admin("POST", `${KEYS}/${made.key.id}/rotate`, { body: { overlapSeconds: 60 } });
      await target.advance(60_000);
      return isRefused(target, made.secret);
    },
  ],
  [
    "leaked-secret",
    "using the secret from before a rotation that left no time",
    async (target) => {
      const { admin, key } = target.scene();
      const made = await key({ role: "admin" });
      await admin("POST", `${KEYS}/${made.key.id}/rotate`, { body: {} });
      return isRefused(target, made.secret);
    },
  ],
  [
    "more-than-maker",
    "making a key that may do more than its maker",
    async (target) => {
      const scene = target.scene();
      const { token } = await scene.join("operator");
      return (await ownKey(scene, token, { role: "admin" })).status === 403;
    },
  ],
  [
    "one-permission-more",
    "making a key with one permission among others that its maker lacks",
    async (target) => {
      const scene = target.scene();
      const { token } = await scene.join("operator");
      const permissions = ["changes.read", "secrets.reveal"];
      return (await ownKey(scene, token, { permissions })).status === 403;
    },
  ],
  [
    "platforms-key",
    "making a key that belongs to the platform, and outlives its maker's rights",
    async (target) => {
      const scene = target.scene();
      const { token } = await scene.join("operator");
      return (await ownKey(scene, token, { role: "viewer", owner: "platform" })).status === 403;
    },
  ],
  [
    "somebody-elses-name",
    "making a key in the name of somebody else",
    async (target) => {
      const scene = target.scene();
      const { token } = await scene.join("operator");
      const owner = { type: "user", id: scene.ann.user.id };
      return (await ownKey(scene, token, { role: "viewer", owner })).status === 403;
    },
  ],
  [
    "outlives-rights",
    "keeping by a key what was taken away from its owner",
    async (target) => {
      const scene = target.scene();
      const { admin, ask, join } = scene;
      const { token, user } = await join("operator");
      const secret = secretOf(await ownKey(scene, token, { role: "operator" }));
      const { body } = await admin("GET", `${GRANTS}?subject=${user.id}`);
      const [grant] = (body as { items: { id: string }[] }).items;
      await admin("DELETE", `${GRANTS}/${grant?.id}`);
      return (await ask("GET", KEYS, { token: secret })).status === 403;
    },
  ],
  [
    "outlives-owner",
    "using a key of somebody who was disabled",
    async (target) => {
      const scene = target.scene();
      const { admin, ask, join } = scene;
      const { token, user } = await join("operator");
      const secret = secretOf(await ownKey(scene, token, { role: "operator" }));
      await admin("POST", `/api/v1/users/${user.id}/disable`);
      return (await ask("GET", KEYS, { token: secret })).status === 403;
    },
  ],
  [
    "outlives-removal",
    "using a key of somebody who was removed",
    async (target) => {
      const scene = target.scene();
      const { token, user } = await scene.join("operator");
      const secret = secretOf(await ownKey(scene, token, { role: "operator" }));
      await scene.admin("DELETE", `/api/v1/users/${user.id}`);
      return isRefused(target, secret);
    },
  ],
  [
    "other-environment",
    "making with a key for one environment a key for all of them",
    async (target) => {
      const scene = target.scene();
      const { secret } = await scene.key({ role: "operator", environment: "staging", stepUpExempt: true });
      return (await ownKey(scene, secret, { role: "operator" })).status === 403;
    },
  ],
  [
    "wider-by-key",
    "granting a wider role to the very key that asks for it",
    async (target) => {
      const { ask, key } = target.scene();
      const made = await key({ permissions: ["access.write"], stepUpExempt: true, owner: "platform" });
      const body = { subject: { type: "key", id: made.key.id }, role: "admin" };
      return (await ask("POST", GRANTS, { token: made.secret, body })).status === 403;
    },
  ],
  [
    "rotate-wider",
    "being shown the new secret of a wider key, by the right to rotate any",
    async (target) => {
      const { ask, ann, joinWith } = target.scene();
      const { token } = await joinWith(["access.read", "access.write", "keys.read", "keys.write"]);
      const id = (ann.key ?? "").slice(3, 11);
      return (await ask("POST", `${KEYS}/${id}/rotate`, { token, body: {} })).status === 403;
    },
  ],
  [
    "rotate-sibling",
    "being shown the new secret of a wider key of the same owner, by a narrow one",
    async (target) => {
      const { ask, ann, key } = target.scene();
      const narrow = await key({ permissions: ["keys.write"], stepUpExempt: true }, ann.token);
      const wide = await key({ role: "admin" }, ann.token);
      const at = `${KEYS}/${wide.key.id}/rotate`;
      return (await ask("POST", at, { token: narrow.secret, body: {} })).status === 403;
    },
  ],
  [
    "child-without-end",
    "making with a key that ends tomorrow one that never ends",
    async (target) => {
      const scene = target.scene();
      const wish = { permissions: ["keys.write", "keys.read"], expiresInSeconds: 86_400, stepUpExempt: true };
      const { secret } = await scene.key(wish, scene.ann.token);
      const made = await ownKey(scene, secret, { permissions: ["keys.read"] });
      if (made.status >= 400) return true;
      await target.advance(86_400_001);
      return isRefused(target, secretOf(made));
    },
  ],
  [
    "child-from-everywhere",
    "making with a key for one network one that holds everywhere",
    async (target) => {
      const scene = target.scene();
      const allowedAddresses = ["127.0.0.0/8"];
      const wish = { permissions: ["keys.write", "keys.read"], allowedAddresses, stepUpExempt: true };
      const { secret } = await scene.key(wish, scene.ann.token);
      const made = await ownKey(scene, secret, { permissions: ["keys.read"] });
      return made.status >= 400 || isRefused(target, secretOf(made), "198.51.100.1");
    },
  ],
  [
    "revoke-of-another",
    "revoking the key of somebody else",
    async (target) => {
      const { ask, ann, join } = target.scene();
      const { token } = await join("operator");
      const id = (ann.key ?? "").slice(3, 11);
      return (await ask("POST", `${KEYS}/${id}/revoke`, { token, body: {} })).status === 404;
    },
  ],
  [
    "list-of-others",
    "seeing the keys of others",
    async (target) => {
      const { ask, join } = target.scene();
      const { token } = await join("operator");
      const { body } = await ask("GET", KEYS, { token });
      return (body as { items: unknown[] }).items.length === 0;
    },
  ],
  [
    "list-shows-secrets",
    "finding secrets or hashes in the list of keys",
    async (target) => {
      const { admin, ann } = target.scene();
      const text = JSON.stringify((await admin("GET", KEYS)).body);
      return !text.includes((ann.key ?? "").slice(12)) && !/hash|secret"/i.test(text);
    },
  ],
  [
    "account",
    "changing the account of its owner with a key",
    async (target) => {
      const scene = target.scene();
      const made = await ownKey(scene, scene.ann.token, { role: "admin", stepUpExempt: true });
      const asking = { token: secretOf(made), body: { name: "Eve" } };
      return idOf(made) !== "" && (await scene.ask("PATCH", "/api/v1/account", asking)).status >= 400;
    },
  ],
  [
    "range-of-nonsense",
    "making a key with a range that means nothing, and so perhaps everything",
    async (target) => {
      const scene = target.scene();
      const bad = ["0.0.0.0/33", "999.1.1.1", "1.2.3.4/-1", "::1/129", "1.2.3.4/24/8"];
      for (const range of bad) {
        const made = await ownKey(scene, scene.ann.token, { role: "viewer", allowedAddresses: [range] });
        if (made.status < 400) return false;
      }
      return true;
    },
  ],
]);
