import { family } from "./attack.ts";
import type { From, Target } from "./target.ts";

const WRONG = "not the right lamp";

/** Statuses of so many wrong passwords, each from where it is said. */
async function guess(
  target: Target,
  email: string,
  count: number,
  from: (index: number) => From = () => ({}),
) {
  const statuses: number[] = [];
  for (let index = 0; index < count; index += 1)
    statuses.push((await target.login({ email, password: WRONG }, from(index))).status);
  return statuses;
}

const elsewhere = (index: number): From => ({ address: `198.51.${index}.7` });
const isSlowed = (statuses: readonly number[]) => statuses.includes(429);

async function challengeOf(target: Target, { email, password }: { email: string; password: string }) {
  const { challenge } = await target.login({ email, password });
  if (challenge === null) throw new Error("no second factor was asked for");
  return challenge;
}

/** Trying until it fits, and making the delay hurt others. */
export const GUESSING = family("brute force and lockout", [
  [
    "one-account",
    "guessing the password of one account from many addresses without ever being slowed down",
    async (target) => isSlowed(await guess(target, (await target.join("Bob")).email, 12, elsewhere)),
  ],
  [
    "right-while-delayed",
    "getting in with the right password while the account is delayed, as a lucky guess would",
    async (target) => {
      const { email, password } = await target.join("Bob");
      await guess(target, email, 12, elsewhere);
      return (await target.login({ email, password }, { address: "198.51.99.7" })).session === null;
    },
  ],
  [
    "spelling",
    "escaping the delay of an account by another spelling of its address",
    async (target) => {
      const { email } = await target.join("Bob");
      await guess(target, email, 8, elsewhere);
      const other = email.toUpperCase();
      return isSlowed([(await target.login({ email: other, password: WRONG }, elsewhere(50))).status]);
    },
  ],
  [
    "permanent-lockout",
    "locking somebody out for good by failing on purpose",
    async (target) => {
      const { email, password } = await target.join("Bob");
      await guess(target, email, 40, elsewhere);
      await target.advance(6 * 60_000);
      return (await target.login({ email, password }, { address: "203.0.113.9" })).session !== null;
    },
  ],
  [
    "spraying",
    "trying one password on many accounts from one address",
    async (target) => {
      const statuses: number[] = [];
      for (let index = 0; index < 40; index += 1)
        statuses.push((await target.login({ email: `u${index}@example.com`, password: WRONG })).status);
      return isSlowed(statuses);
    },
  ],
  [
    "forwarded-for",
    "escaping the limit of an address by a new X-Forwarded-For each time",
    async (target) => {
      const statuses: number[] = [];
      for (let index = 0; index < 40; index += 1) {
        const given = { email: `u${index}@example.com`, password: WRONG };
        const from = { headers: { "x-forwarded-for": `203.0.113.${index}` } };
        statuses.push((await target.login(given, from)).status);
      }
      return isSlowed(statuses);
    },
  ],
  [
    "ipv6",
    "escaping the limit of an address by another one of the same IPv6 /64 each time",
    async (target) => {
      const statuses: number[] = [];
      for (let index = 0; index < 40; index += 1) {
        const given = { email: `u${index}@example.com`, password: WRONG };
        statuses.push((await target.login(given, { address: `2001:db8::${index.toString(16)}` })).status);
      }
      return isSlowed(statuses);
    },
  ],
  [
    "app-codes",
    "guessing codes of an authenticator app after one right password",
    async (target) => {
      const bob = await target.join("Bob");
      const { code } = await target.enrolApp(bob);
      const challenge = await challengeOf(target, bob);
      for (let count = 0; count < 12; count += 1) {
        await target.finish(challenge, "000000", elsewhere(count));
        await target.advance(5_000);
      }
      return (await target.finish(challenge, code())).session === null;
    },
  ],
  [
    "app-codes-anew",
    "guessing codes of an app by a new login for every few tries",
    async (target) => {
      const bob = await target.join("Bob");
      await target.enrolApp(bob);
      const statuses: number[] = [];
      for (let count = 0; count < 12; count += 1) {
        const begun = await target.login(bob, elsewhere(count));
        if (begun.challenge === null) return true;
        statuses.push((await target.finish(begun.challenge, "000000", elsewhere(count))).status);
      }
      return isSlowed(statuses);
    },
  ],
  [
    "recovery-codes",
    "guessing recovery codes after one right password",
    async (target) => {
      const bob = await target.join("Bob");
      const { recovery } = await target.enrolApp(bob);
      const challenge = await challengeOf(target, bob);
      for (let count = 0; count < 12; count += 1)
        await target.finish(challenge, "AAAA-AAAA-AAAA-AAAA", elsewhere(count));
      return (await target.finish(challenge, recovery[0] ?? "")).session === null;
    },
  ],
  [
    "current-password",
    "guessing the password from a stolen session, where it is asked for again",
    async (target) => {
      const bob = await target.join("Bob");
      for (let count = 0; count < 12; count += 1)
        await target.changePassword(bob.session, { current: `${WRONG} ${count}`, password: "x".repeat(20) });
      const last = { current: bob.password, password: "nine boats in the reeds" };
      return (await target.changePassword(bob.session, last)) === null;
    },
  ],
  [
    "at-once",
    "sending many guesses at the same moment, before the first is counted",
    async (target) => {
      const { email } = await target.join("Bob");
      const guesses = Array.from({ length: 12 }, (_, index) =>
        target.login({ email, password: WRONG }, elsewhere(index)),
      );
      return isSlowed((await Promise.all(guesses)).map(({ status }) => status));
    },
  ],
  [
    "device-lockout",
    "keeping somebody out of a device they have used, by failing elsewhere",
    async (target) => {
      const { ask, join } = target.scene();
      const { device, user } = await join("viewer");
      await guess(target, user.email, 20, elsewhere);
      const body = { email: user.email, password: "seven lamps under water", transport: "bearer", device };
      return (await ask("POST", "/api/v1/login", { body, address: "203.0.113.8" })).status === 200;
    },
  ],
  [
    "foreign-device",
    "escaping the delay of an account with the token of a device of one's own",
    async (target) => {
      const { ask, ann, join } = target.scene();
      const { device } = await join("viewer");
      const body = { email: ann.user.email, password: WRONG, transport: "bearer", device };
      const statuses: number[] = [];
      for (let index = 0; index < 8; index += 1)
        statuses.push((await ask("POST", "/api/v1/login", { body, ...elsewhere(index) })).status);
      return isSlowed(statuses);
    },
  ],
  [
    "links",
    "guessing one-time links from one address",
    async (target) => {
      const { ask } = target.scene();
      const statuses: number[] = [];
      for (let index = 0; index < 40; index += 1) {
        const body = { link: `ml_${String(index).padStart(43, "a")}` };
        statuses.push((await ask("POST", "/api/v1/links/look", { body })).status);
      }
      return isSlowed(statuses);
    },
  ],
  [
    "step-up",
    "guessing the second factor of a stolen session where a fresh one is asked for",
    async (target) => {
      const bob = await target.join("Bob");
      await target.enrolApp(bob);
      const { ask } = target.scene();
      const statuses: number[] = [];
      for (let index = 0; index < 12; index += 1) {
        const asking = { token: bob.session, body: { code: "000000" }, ...elsewhere(index) };
        statuses.push((await ask("POST", "/api/v1/step-up", asking)).status);
      }
      return isSlowed(statuses);
    },
  ],
]);
