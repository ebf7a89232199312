import { AppError } from "@mainstay/api";

/** NIST SP 800-63B-4 §3.1.1.2: length counts, composition rules do not. */
export const PASSWORD_CHARACTERS = { min: 12, max: 256 };
/** 0 to 4; 3 holds against 10^8 guesses. */
export const STRENGTH_MIN = 3;

/** One spelling for what looks the same: NIST SP 800-63B-4 §3.1.1.2, Unicode NFKC. */
export function normalizePassword(password: string): string {
  return password.normalize("NFKC");
}

/** What is wrong with the length of a password; null when nothing is. */
export function describeLength(password: string): string | null {
  const { min, max } = PASSWORD_CHARACTERS;
  const length = [...password].length;
  if (length < min) return `expected at least ${min} characters; a few words in a row are easy to keep`;
  return length > max ? `expected at most ${max} characters` : null;
}

/** The refusal of a new password, with the reason. */
export function weakPassword(message: string): AppError {
  return new AppError("PASSWORD_WEAK", {}, { errors: [{ path: "body.password", message }] });
}
