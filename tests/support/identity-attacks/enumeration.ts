import { family } from "./attack.ts";
import { countPasswordWork } from "./password-work.ts";
import type { Answer, Target } from "./target.ts";

const NOBODY = "nobody@example.com";
const WRONG = "not the right lamp";

/** Two answers that nobody can tell apart; what differs from request to request is left out. */
function isAlike(one: Answer, other: Answer): boolean {
  const plain = ({ text }: Answer) => text.replaceAll(/req_[\w-]+/g, "");
  return one.status === other.status && plain(one) === plain(other);
}

async function doesSameWork(target: Target, one: string, other: string): Promise<boolean> {
  const work = (email: string) => countPasswordWork(() => target.login({ email, password: WRONG }));
  const [first, second] = [await work(one), await work(other)];
  return first === second && first > 0;
}

const refusalOf = (target: Target, email: string, password = WRONG) => target.login({ email, password });

/** Who has an account here, told by what is answered or by what is computed. */
export const ENUMERATION = family("enumeration", [
  [
    "text-of-login",
    "telling a known address from an unknown one by the text of a refused login",
    async (target) => {
      const { email } = await target.join("Bob");
      return isAlike(await refusalOf(target, email), await refusalOf(target, NOBODY));
    },
  ],
  [
    "work-of-login",
    "telling a known address from an unknown one by the password hash that is computed or not",
    async (target) => doesSameWork(target, (await target.join("Bob")).email, NOBODY),
  ],
  [
    "text-for-second-factor",
    "learning from a wrong password that an account has a second factor",
    async (target) => {
      const bob = await target.join("Bob");
      await target.enrolApp(bob);
      const refused = await refusalOf(target, bob.email);
      return refused.challenge === null && isAlike(refused, await refusalOf(target, NOBODY));
    },
  ],
  [
    "work-for-second-factor",
    "telling an account with a second factor from none by the hash that is computed",
    async (target) => {
      const bob = await target.join("Bob");
      await target.enrolApp(bob);
      return doesSameWork(target, bob.email, NOBODY);
    },
  ],
  [
    "work-of-long-password",
    "telling accounts apart by a password too long to be hashed",
    async (target) => {
      const { email } = await target.join("Bob");
      const work = (who: string) =>
        countPasswordWork(() => target.login({ email: who, password: "x".repeat(1_000) }));
      return (await work(email)) === (await work(NOBODY));
    },
  ],
  [
    "delay",
    "telling a known address from an unknown one by the delay after many failures",
    async (target) => {
      const { email } = await target.join("Bob");
      const statuses = async (who: string) => {
        const seen: number[] = [];
        for (let count = 0; count < 8; count += 1) seen.push((await refusalOf(target, who)).status);
        return seen.join();
      };
      return (await statuses(email)) === (await statuses(NOBODY));
    },
  ],
  [
    "text-of-passkey",
    "learning from the options of a passkey login whose passkeys there are",
    async (target) => {
      const bob = await target.join("Bob");
      await target.addPasskey(bob);
      const { options } = await target.beginPasskey();
      const { allowCredentials } = options as { allowCredentials?: unknown[] };
      return (allowCredentials ?? []).length === 0;
    },
  ],
  [
    "invited",
    "telling somebody who was invited and has no password yet from nobody by the text",
    async (target) => {
      const { user } = await target.scene().invite("viewer");
      return isAlike(await refusalOf(target, user.email), await refusalOf(target, NOBODY));
    },
  ],
  [
    "invited-work",
    "telling somebody who was invited and has no password yet from nobody by the hash",
    async (target) => doesSameWork(target, (await target.scene().invite("viewer")).user.email, NOBODY),
  ],
  [
    "disabled",
    "learning with the right password that an account is there and disabled",
    async (target) => {
      const { id, email, password } = await target.join("Bob");
      await target.scene().admin("POST", `/api/v1/users/${id}/disable`);
      return isAlike(await refusalOf(target, email, password), await refusalOf(target, NOBODY));
    },
  ],
  [
    "disabled-work",
    "telling a disabled account from none by the hash",
    async (target) => {
      const { id, email } = await target.join("Bob");
      await target.scene().admin("POST", `/api/v1/users/${id}/disable`);
      return doesSameWork(target, email, NOBODY);
    },
  ],
  [
    "keys",
    "telling a known key's id with a wrong secret from an unknown id",
    async (target) => {
      const { key } = await target.scene().key({ role: "viewer" });
      const { ask } = target.scene();
      const shown = async (id: string) => {
        const { status, body } = await ask("GET", "/api/v1/keys", { token: `mk_${id}_${"a".repeat(49)}` });
        return { status, text: JSON.stringify(body) };
      };
      return isAlike(await shown(key.id), await shown("ZZZZZZZZ"));
    },
  ],
  [
    "users-by-role",
    "asking for people by address without the right to see who may log in",
    async (target) => {
      const { ask, join, ann } = target.scene();
      const { token } = await join("deployer");
      const known = await ask("GET", `/api/v1/users/${ann.user.email}`, { token });
      const unknown = await ask("GET", `/api/v1/users/${NOBODY}`, { token });
      return known.status === 403 && unknown.status === 403;
    },
  ],
  [
    "links",
    "telling an expired one-time link from one that never was",
    async (target) => {
      const { ask, invite } = target.scene();
      const { link } = await invite("viewer");
      await target.advance(73 * 3_600_000);
      const look = async (text: string) => {
        const { status, body } = await ask("POST", "/api/v1/links/look", { body: { link: text } });
        return { status, text: JSON.stringify(body) };
      };
      return isAlike(await look(link.split("#")[1] ?? ""), await look(`ml_${"a".repeat(43)}`));
    },
  ],
]);
