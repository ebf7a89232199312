import { createHook } from "node:async_hooks";

/** What node:crypto calls the work of a slow hash. */
const SLOW_HASHES = new Set(["ARGON2REQUEST", "SCRYPTREQUEST", "PBKDF2REQUEST"]);

/** How many slow password hashes are computed while something is done: what its time gives away. */
export async function countPasswordWork(act: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const hook = createHook({
    init(_id, type) {
      if (SLOW_HASHES.has(type)) count += 1;
    },
  }).enable();
  try {
    await act();
  } finally {
    hook.disable();
  }
  return count;
}
