/** The cookie that keeps a user with one arm of a rollout. */
const COOKIE_NAME = "mainstay_id";

export interface CookieJar {
  /** The Cookie header of this user's next request; null before one was given. */
  headerOf(user: number): string | null;
  /** Takes the Set-Cookie headers of an answer to this user. */
  keep(user: number, setCookies: readonly string[]): void;
  /** How many users hold a cookie. */
  size(): number;
}

/** Every user's `mainstay_id`; other cookies are left alone. */
export function createCookieJar(): CookieJar {
  const headers = new Map<number, string>();
  return {
    headerOf: (user) => headers.get(user) ?? null,
    keep(user, setCookies) {
      const pair = setCookies.map((each) => each.split(";", 1)[0] ?? "").findLast((each) => isOurs(each));
      if (pair !== undefined) headers.set(user, pair.trim());
    },
    size: () => headers.size,
  };
}

function isOurs(pair: string): boolean {
  return pair.trimStart().startsWith(`${COOKIE_NAME}=`);
}
