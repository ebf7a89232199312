import { describe, expect, it } from "vitest";
import { encodeBase32 } from "./base32.ts";
import { hotp, otpauthUri, stepAt, verifyTotp } from "./totp.ts";

const SECRET = Buffer.from("12345678901234567890");
const NOW_MS = 1_111_111_109_000;

describe("HOTP", () => {
  it("gives the values of RFC 4226, appendix D", () => {
    const codes = Array.from({ length: 10 }, (_, counter) => hotp(SECRET, counter));
    expect(codes).toEqual(
      "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489".split(" "),
    );
  });
});

describe("TOTP", () => {
  const seeds = {
    sha1: Buffer.from("12345678901234567890"),
    sha256: Buffer.from("12345678901234567890123456789012"),
    sha512: Buffer.from("1234567890123456789012345678901234567890123456789012345678901234"),
  };
  it.each([
    [59, "94287082", "46119246", "90693936"],
    [1_111_111_109, "07081804", "68084774", "25091201"],
    [1_111_111_111, "14050471", "67062674", "99943326"],
    [1_234_567_890, "89005924", "91819424", "93441116"],
    [2_000_000_000, "69279037", "90698825", "38618901"],
    [20_000_000_000, "65353130", "77737706", "47863826"],
  ])("gives the values of RFC 6238, appendix B, at %i s", (seconds, sha1, sha256, sha512) => {
    const code = (algorithm: keyof typeof seeds) =>
      hotp(seeds[algorithm], stepAt(seconds * 1000), { digits: 8, algorithm });
    expect([code("sha1"), code("sha256"), code("sha512")]).toEqual([sha1, sha256, sha512]);
  });

  it("accepts the code of this step, the one before and the next, and no other", () => {
    const step = stepAt(NOW_MS);
    const accepted = [-2, -1, 0, 1, 2].filter((around) => {
      const code = hotp(SECRET, step + around);
      return verifyTotp(SECRET, { code, nowMs: NOW_MS, lastStep: null }) === step + around;
    });
    expect(accepted).toEqual([-1, 0, 1]);
  });

  it("accepts a code once, and none that is older than the one used last", () => {
    const step = stepAt(NOW_MS);
    const at = (around: number, lastStep: number) =>
      verifyTotp(SECRET, { code: hotp(SECRET, step + around), nowMs: NOW_MS, lastStep });
    expect(at(0, step)).toBe(null);
    expect(at(-1, step)).toBe(null);
    expect(at(1, step)).toBe(step + 1);
  });

  it("reads a code with spaces, and refuses what is none", () => {
    const code = hotp(SECRET, stepAt(NOW_MS));
    const check = (text: string) => verifyTotp(SECRET, { code: text, nowMs: NOW_MS, lastStep: null });
    expect(check(`${code.slice(0, 3)} ${code.slice(3)}`)).not.toBe(null);
    for (const text of ["", "12345", `${code}0`, "abcdef", "000000000"]) expect(check(text)).toBe(null);
  });
});

describe("what an app is told", () => {
  it("is a URI with the secret in base 32", () => {
    expect(encodeBase32(Buffer.from("foobar"))).toBe("MZXW6YTBOI");
    expect(otpauthUri(SECRET, { issuer: "Mainstay", account: "a b@example.com" })).toBe(
      "otpauth://totp/Mainstay:a%20b%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Mainstay&algorithm=SHA1&digits=6&period=30",
    );
  });
});
