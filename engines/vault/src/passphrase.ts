import { argon2 } from "node:crypto";
import { promisify } from "node:util";
import { KEY_BYTES } from "./gcm.ts";
import { isCheckOf, keyCheckOf, keyOf, type Key } from "./key.ts";
import { draw, type Random } from "./random.ts";
import { VaultError } from "./vault-error.ts";

/** What a guess at the passphrase costs. */
export interface PassphraseCost {
  memoryKib: number;
  passes: number;
  lanes: number;
}

/** The second recommended option of RFC 9106, section 4. */
export const RECOMMENDED_COST: PassphraseCost = { memoryKib: 2 ** 16, passes: 3, lanes: 4 };

/** Whoever can write a lock must not be able to make its reader spend more than this. */
const MAX_COST: PassphraseCost = { memoryKib: 2 ** 21, passes: 32, lanes: 16 };
const SALT_BYTES = 16;
const VERSION = 19;
const LOCK =
  /^\$vault-argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{22})$/;

const derive = promisify(argon2);

/**
 * A key made of a passphrase, and the lock: public text with which the passphrase gives the same key again.
 */
export async function lockByPassphrase(
  passphrase: string,
  random: Random,
  cost: PassphraseCost = RECOMMENDED_COST,
): Promise<{ key: Key; lock: string }> {
  requireCost(cost);
  const salt = draw(random, SALT_BYTES);
  const key = await deriveKey(passphrase, salt, cost);
  const { memoryKib, passes, lanes } = cost;
  const parameters = `v=${VERSION}$m=${memoryKib},t=${passes},p=${lanes}`;
  return { key, lock: `$vault-argon2id$${parameters}$${base64(salt)}$${base64(keyCheckOf(key.secret))}` };
}

/** The key of a lock; refused with `wrong-passphrase` when the passphrase is not the one it was made with. */
export async function openByPassphrase(passphrase: string, lock: string): Promise<Key> {
  const [, memory, passes, lanes, salt = "", check = ""] = LOCK.exec(lock.trim()) ?? [];
  if (memory === undefined) throw new VaultError("malformed", "This is no lock of a passphrase.");
  const cost = { memoryKib: Number(memory), passes: Number(passes), lanes: Number(lanes) };
  requireCost(cost);
  const key = await deriveKey(passphrase, Buffer.from(salt, "base64"), cost);
  if (isCheckOf(key.secret, Buffer.from(check, "base64"))) return key;
  throw new VaultError("wrong-passphrase", "The passphrase is not the one this key was made with.");
}

/** Argon2id (RFC 9106) off the event loop; NFC makes keyboards agree (RFC 8265, section 4.2). */
async function deriveKey(passphrase: string, salt: Uint8Array, cost: PassphraseCost): Promise<Key> {
  const bytes = await derive("argon2id", {
    message: Buffer.from(passphrase.normalize("NFC")),
    nonce: salt,
    memory: cost.memoryKib,
    passes: cost.passes,
    parallelism: cost.lanes,
    tagLength: KEY_BYTES,
  });
  return keyOf(bytes);
}

/** Argon2 needs 8 KiB for each lane (RFC 9106, section 3.1). */
function requireCost({ memoryKib, passes, lanes }: PassphraseCost): void {
  const isPossible = passes >= 1 && lanes >= 1 && memoryKib >= 8 * lanes;
  const isBearable = memoryKib <= MAX_COST.memoryKib && passes <= MAX_COST.passes && lanes <= MAX_COST.lanes;
  if (isPossible && isBearable) return;
  const asked = `${memoryKib} KiB, ${passes} passes and ${lanes} lanes`;
  throw new VaultError("malformed", `Argon2id with ${asked} is refused: see the limits in the format.`);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}
