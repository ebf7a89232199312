import { createHash } from "node:crypto";
import type { Log } from "../../../kernel/log.ts";
import type { PasswordCheck } from "./strength.ts";

const PREFIX_DIGITS = 5;
const TIMEOUT_MS = 3_000;
const ANSWER_LIMIT_BYTES = 1024 * 1024;

/**
 * Asks a list of breached passwords by k-anonymity: only the first five digits of the SHA-1 leave this machine,
 * and the answer, padded, holds every known suffix (the range API of Pwned Passwords). A list that does not
 * answer stops nobody; it is logged.
 */
export function createBreachedCheck({ url, log }: { url: string; log: Log }): PasswordCheck {
  return async (password) => {
    const digest = createHash("sha1").update(password).digest("hex").toUpperCase();
    const suffix = digest.slice(PREFIX_DIGITS);
    const lines = await readRange(`${url.replace(/\/+$/, "")}/${digest.slice(0, PREFIX_DIGITS)}`).catch(
      (error: unknown) => {
        log.warn({ error }, "the list of breached passwords does not answer");
        return [];
      },
    );
    const count = lines.find((line) => line.startsWith(`${suffix}:`))?.split(":")[1];
    return Number(count ?? 0) > 0 ? "it is on a list of passwords that were stolen elsewhere" : null;
  };
}

async function readRange(url: string): Promise<string[]> {
  const headers = { "add-padding": "true", "user-agent": "mainstay" };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const answer = await fetch(url, { headers, signal, redirect: "error" });
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  const text = await answer.text();
  if (text.length > ANSWER_LIMIT_BYTES) throw new Error("the answer is too long");
  return text.split(/\r?\n/);
}
