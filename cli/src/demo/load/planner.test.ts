import { expect, test } from "vitest";
import { createCookieJar } from "./cookie-jar.ts";
import { createPlanner } from "./planner.ts";
import { createRandom } from "./random.ts";
import { createHelloMix } from "./request-mix.ts";

const shares = { users: 1000, cookielessShare: 0.2, closeShare: 0.3, putShare: 0.1 };
const planMany = (count: number, seed = 1) => {
  const jar = createCookieJar();
  for (let user = 0; user < shares.users; user++) jar.keep(user, [`mainstay_id=u${user}`]);
  const planNext = createPlanner({ shares, mix: createHelloMix(), jar, random: createRandom(seed) });
  return Array.from({ length: count }, planNext);
};
const shareOf = <Each>(all: Each[], is: (each: Each) => boolean) => all.filter(is).length / all.length;

test("the shares are those asked for", () => {
  const plans = planMany(20_000);
  expect(shareOf(plans, ({ user }) => user === null)).toBeCloseTo(0.2, 1.5);
  expect(shareOf(plans, ({ request }) => request.close)).toBeCloseTo(0.3, 1.5);
  expect(shareOf(plans, ({ request }) => request.method === "PUT")).toBeCloseTo(0.1, 1.5);
});

test("every user sends its own cookie, a cookieless request none", () => {
  for (const { user, request } of planMany(2000))
    expect(request.cookie).toBe(user === null ? null : `mainstay_id=u${user}`);
});

test("all users take part", () => {
  expect(new Set(planMany(20_000).map(({ user }) => user)).size).toBe(shares.users + 1);
});

test("the same seed gives the same plan", () => {
  expect(planMany(100, 4)).toEqual(planMany(100, 4));
});
