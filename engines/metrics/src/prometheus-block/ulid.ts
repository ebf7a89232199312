/** Crockford's alphabet: no I, L, O, U. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_CHARACTERS = 10;
const RANDOM_BYTES = 16;

/** An identifier that sorts by time: 48 bits of it, then 80 random ones. (github.com/ulid/spec) */
export function createUlid(timeMs: number, random: (bytes: number) => Uint8Array): string {
  let text = "";
  for (let rest = timeMs; text.length < TIME_CHARACTERS; rest = Math.floor(rest / 32))
    text = (ALPHABET[rest % 32] ?? "") + text;
  for (const byte of random(RANDOM_BYTES)) text += ALPHABET[byte % 32] ?? "";
  return text;
}
