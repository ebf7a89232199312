import { hotp, stepAt } from "../../../server/src/core/identity/domain/totp.ts";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** An authenticator app that was told a secret in base 32: its code now, or some steps away. */
export function createAppCodes(secret: string, nowMs: () => number): (stepsAround?: number) => string {
  const bits = Array.from(secret, (digit) => DIGITS.indexOf(digit).toString(2).padStart(5, "0")).join("");
  const bytes = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  return (stepsAround = 0) => hotp(bytes, stepAt(nowMs()) + stepsAround);
}
