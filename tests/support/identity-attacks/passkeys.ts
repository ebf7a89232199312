import type { Circumstances } from "../authenticator.ts";
import { family, type Row } from "./attack.ts";
import type { Target } from "./target.ts";

const ORIGIN = "https://evil.example";

async function enter(target: Target, make: (options: object) => object) {
  const { options, finish } = await target.beginPasskey();
  return (await finish(make(options))).session;
}

/** A login whose answer was made under other circumstances than it should have been. */
function tampered(name: string, tries: string, change: Partial<Circumstances>): Row {
  return [
    name,
    tries,
    async (target) => {
      const { authenticator } = await target.addPasskey(await target.join("Bob"));
      return (await enter(target, (options) => authenticator.get(options, change))) === null;
    },
  ];
}

function registered(name: string, tries: string, change: Partial<Circumstances>): Row {
  return [
    name,
    tries,
    async (target) => (await target.addPasskey(await target.join("Bob"), change)).status >= 400,
  ];
}

/** Ceremonies of passkeys that were tampered with. */
export const PASSKEYS = family("passkeys", [
  tampered("origin", "logging in with an answer that was made on another site", { origin: ORIGIN }),
  tampered("origin-port", "logging in with an answer that was made on another port of this machine", {
    origin: "http://localhost:9999",
  }),
  tampered("rp-id", "logging in with an answer that was made for another host", { rpId: "evil.example" }),
  tampered("unverified", "logging in with a passkey alone whose user was not verified", { flags: 0x01 }),
  tampered("absent", "logging in with a passkey whose user was not even present", { flags: 0x00 }),
  tampered("forged", "logging in with the signature of another key", { isForged: true }),
  tampered("user-handle", "logging in with an answer that names somebody else as its user", {
    userHandle: Buffer.from("usr_somebody").toString("base64url"),
  }),
  registered("register-origin", "registering a passkey that was made on another site", { origin: ORIGIN }),
  registered("register-rp-id", "registering a passkey that was made for another host", {
    rpId: "evil.example",
  }),
  registered("register-unverified", "registering a passkey whose user was not verified", { flags: 0x01 }),
  [
    "replay",
    "handing in the answer of a login a second time",
    async (target) => {
      const { authenticator } = await target.addPasskey(await target.join("Bob"));
      const { options, finish } = await target.beginPasskey();
      const response = authenticator.get(options);
      const first = await finish(response);
      return first.session !== null && (await finish(response)).session === null;
    },
  ],
  [
    "old-answer",
    "handing in the answer of one login to the challenge of another",
    async (target) => {
      const { authenticator } = await target.addPasskey(await target.join("Bob"));
      const first = await target.beginPasskey();
      const response = authenticator.get(first.options);
      await first.finish(response);
      return (await enter(target, () => response)) === null;
    },
  ],
  [
    "own-challenge",
    "logging in with an answer to a challenge that the attacker chose",
    async (target) => {
      const { authenticator } = await target.addPasskey(await target.join("Bob"));
      const own = { challenge: Buffer.from("chosen by the attacker").toString("base64url") };
      return (await enter(target, () => authenticator.get(own))) === null;
    },
  ],
  [
    "late",
    "handing in an answer a quarter of an hour after its challenge",
    async (target) => {
      const { authenticator } = await target.addPasskey(await target.join("Bob"));
      const { options, finish } = await target.beginPasskey();
      await target.advance(15 * 60_000);
      return (await finish(authenticator.get(options))).session === null;
    },
  ],
  [
    "counter",
    "logging in with a clone, whose counter has gone back",
    async (target) => {
      const { authenticator } = await target.addPasskey(await target.join("Bob"));
      for (let count = 0; count < 3; count += 1) await enter(target, (options) => authenticator.get(options));
      authenticator.rewind(1);
      return (await enter(target, (options) => authenticator.get(options))) === null;
    },
  ],
  [
    "unknown",
    "logging in with a passkey that nobody has registered",
    async (target) => {
      const bob = await target.join("Bob");
      const { authenticator } = await target.addPasskey(bob, { origin: ORIGIN });
      return (await enter(target, (options) => authenticator.get(options))) === null;
    },
  ],
  [
    "not-an-answer",
    "handing in an answer without a signature",
    async (target) => {
      const { authenticator } = await target.addPasskey(await target.join("Bob"));
      const stripped = (options: object) => {
        const answer = authenticator.get(options) as { response: Record<string, unknown> };
        return { ...answer, response: { ...answer.response, signature: "" } };
      };
      return (await enter(target, stripped)) === null;
    },
  ],
  [
    "wrong-ceremony",
    "handing in the answer of a registration to a login",
    async (target) => {
      const { authenticator } = await target.addPasskey(await target.join("Bob"));
      const user = { id: "dXNy" };
      return (await enter(target, (options) => authenticator.create({ ...options, user }))) === null;
    },
  ],
  [
    "registration-of-another",
    "finishing the registration that somebody else has begun",
    async (target) => {
      const { ask } = target.scene();
      const [bob, eve] = [await target.join("Bob"), await target.join("Eve")];
      const { authenticator } = await target.addPasskey(eve);
      const begun = await ask("POST", "/api/v1/account/passkeys/options", { token: bob.session });
      const { challenge, options } = begun.body as { challenge: string; options: object };
      const body = { challenge, name: "mine", response: authenticator.create(options) };
      return (await ask("POST", "/api/v1/account/passkeys", { token: eve.session, body })).status === 409;
    },
  ],
  [
    "taken",
    "registering a passkey of somebody else's as one's own",
    async (target) => {
      const { ask } = target.scene();
      const [bob, eve] = [await target.join("Bob"), await target.join("Eve")];
      const { authenticator } = await target.addPasskey(bob);
      const begun = await ask("POST", "/api/v1/account/passkeys/options", { token: eve.session });
      const { challenge, options } = begun.body as { challenge: string; options: object };
      const body = { challenge, name: "mine", response: authenticator.create(options) };
      return (await ask("POST", "/api/v1/account/passkeys", { token: eve.session, body })).status === 409;
    },
  ],
  [
    "second-factor-of-another",
    "finishing the login of somebody else with one's own passkey",
    async (target) => {
      const { ask } = target.scene();
      const [bob, eve] = [await target.join("Bob"), await target.join("Eve")];
      await target.enrolApp(bob);
      const { authenticator } = await target.addPasskey(eve);
      const { challenge } = await target.login(bob);
      const begun = await ask("POST", "/api/v1/login/passkey/options");
      const asked = begun.body as { challenge: string; options: object };
      const passkey = { challenge: asked.challenge, response: authenticator.get(asked.options) };
      const body = { challenge, passkey, transport: "bearer" };
      return (await ask("POST", "/api/v1/login/second-factor", { body })).status === 401;
    },
  ],
  [
    "remove-of-another",
    "removing a passkey of somebody else's",
    async (target) => {
      const [bob, eve] = [await target.join("Bob"), await target.join("Eve")];
      const { authenticator } = await target.addPasskey(bob);
      const at = `/api/v1/account/passkeys/${authenticator.id}`;
      return (await target.scene().ask("DELETE", at, { token: eve.session })).status === 404;
    },
  ],
  [
    "disabled",
    "logging in with the passkey of an account that was disabled",
    async (target) => {
      const bob = await target.join("Bob");
      const { authenticator } = await target.addPasskey(bob);
      await target.scene().admin("POST", `/api/v1/users/${bob.id}/disable`);
      return (await enter(target, (options) => authenticator.get(options))) === null;
    },
  ],
  [
    "after-reset",
    "logging in with a passkey from before its owner began anew",
    async (target) => {
      const { admin, house } = target.scene();
      const bob = await target.join("Bob");
      const { authenticator } = await target.addPasskey(bob);
      const { body } = await admin("POST", `/api/v1/users/${bob.id}/link`);
      await house.redeem((body as { link: string }).link);
      return (await enter(target, (options) => authenticator.get(options))) === null;
    },
  ],
]);
