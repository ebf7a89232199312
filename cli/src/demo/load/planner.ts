import type { CookieJar } from "./cookie-jar.ts";
import { drawInteger, type Random } from "./random.ts";
import type { RequestMix } from "./request-mix.ts";
import type { OutgoingRequest } from "./transport.ts";

export interface Shares {
  users: number;
  /** Of the requests, between 0 and 1: sent by nobody we know, without a cookie. */
  cookielessShare: number;
  /** Sent over a connection of their own. */
  closeShare: number;
  /** Writes. */
  putShare: number;
}

export interface Plan {
  /** null: cookieless. */
  user: number | null;
  request: OutgoingRequest;
}

/** Decides who sends what, and how; the same random numbers give the same plan. */
export function createPlanner(parts: { shares: Shares; mix: RequestMix; jar: CookieJar; random: Random }) {
  const { shares, mix, jar, random } = parts;
  let writes = 0;

  return function planNext(): Plan {
    const user = random() < shares.cookielessShare ? null : drawInteger(random, shares.users);
    const close = random() < shares.closeShare;
    const planned = random() < shares.putShare ? mix.drawPut(writes++) : mix.drawGet(random);
    return { user, request: { ...planned, close, cookie: user === null ? null : jar.headerOf(user) } };
  };
}
