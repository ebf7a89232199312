import { argon2 } from "node:crypto";
import { promisify } from "node:util";
import { AppError } from "@mainstay/api";
import type { Random } from "../../../kernel/ids.ts";
import {
  ARGON2_COST,
  formatPasswordHash,
  isOutdated,
  isSameTag,
  parsePasswordHash,
  SALT_BYTES,
  TAG_BYTES,
  type Argon2Cost,
} from "../domain/password-hash.ts";
import { describeLength, normalizePassword, PASSWORD_CHARACTERS, weakPassword } from "../domain/password-rules.ts";
import type { PasswordCheck } from "./strength.ts";

const argon2Async = promisify(argon2);

export interface PasswordsDependencies {
  random: Random;
  /** Asked one after the other, for every new password. */
  checks: readonly PasswordCheck[];
  cost?: Argon2Cost;
  /** How many hashes are computed at once; each takes its memory. */
  atOnce?: number;
  /** More wait; what comes on top is refused. */
  waiting?: number;
}

export interface PasswordVerdict {
  isRight: boolean;
  /** Not null: the password as it should be stored from now on. */
  rehash: string | null;
}

export type Passwords = ReturnType<typeof createPasswords>;

/** Password hashes, off the event loop (libuv's pool computes them) and in bounded number. */
export function createPasswords({ random, checks, ...options }: PasswordsDependencies) {
  const { cost = ARGON2_COST, atOnce = 2, waiting = 64 } = options;
  const turn = createTurns(atOnce, waiting);
  const stranger = { ...cost, salt: Buffer.from(random(SALT_BYTES)), tag: Buffer.alloc(TAG_BYTES) };

  function digest(password: string, { salt, ...at }: Argon2Cost & { salt: Buffer }): Promise<Buffer> {
    const { memoryKib: memory, passes, lanes: parallelism } = at;
    const message = Buffer.from(normalizePassword(password));
    const parameters = { message, nonce: salt, parallelism, tagLength: TAG_BYTES, memory, passes };
    return turn(() => argon2Async("argon2id", parameters));
  }

  async function hash(password: string): Promise<string> {
    const salt = Buffer.from(random(SALT_BYTES));
    return formatPasswordHash({ ...cost, salt, tag: await digest(password, { ...cost, salt }) });
  }

  return {
    hash,

    /** Whether the password is right. Without a stored hash it never is, at the price of the same work. */
    async verify(password: string, stored: string | null): Promise<PasswordVerdict> {
      const isLong = password.length > PASSWORD_CHARACTERS.max * 2;
      const known = stored === null ? stranger : parsePasswordHash(stored);
      const tag = await digest(isLong ? "" : password, known);
      const isRight = isSameTag(tag, known.tag) && stored !== null && !isLong;
      return { isRight, rehash: isRight && isOutdated(known, cost) ? await hash(password) : null };
    },

    /** Throws PASSWORD_WEAK for one that must not be used; `hints`: what its guesser would try first. */
    async demandStrong(password: string, hints: readonly string[]): Promise<void> {
      const text = normalizePassword(password);
      const wrongLength = describeLength(text);
      if (wrongLength !== null) throw weakPassword(wrongLength);
      for (const check of checks) {
        const reason = await check(text, hints);
        if (reason !== null) throw weakPassword(reason);
      }
    },
  };
}

/** So many at once, so many more in a queue; LOGIN_BUSY for the rest. */
function createTurns(atOnce: number, waiting: number) {
  const queue: (() => void)[] = [];
  let running = 0;

  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= atOnce) {
      if (queue.length >= waiting) throw new AppError("LOGIN_BUSY", { retryAfterSeconds: 1 });
      await new Promise<void>((resolve) => queue.push(resolve));
    } else running += 1;
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
