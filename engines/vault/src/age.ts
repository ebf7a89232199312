import { armor, Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { formatKeys, parseKeys, type Key } from "./key.ts";
import { VaultError } from "./vault-error.ts";

/** Whom an age file is for: recipients `age1…`, or whoever knows the passphrase. */
export type AgeTarget = { recipients: readonly string[] } | { passphrase: string; workFactorLog2?: number };

/** What opens it: any of these identities `AGE-SECRET-KEY-…` and passphrases. */
export interface AgeSecrets {
  identities?: readonly string[];
  passphrases?: readonly string[];
}

/** log2 of scrypt's N: about a second and 256 MiB for a guess. */
const DEFAULT_WORK_FACTOR_LOG2 = 18;
const BINARY_START = Buffer.from("age-encryption.org/");

/** A new identity, to be written down, and the recipient that belongs to it, to be kept. */
export async function createAgeIdentity(): Promise<{ identity: string; recipient: string }> {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

/** Encrypts to an age v1 file (c2sp.org/age) in ASCII armor. */
export async function sealAge(target: AgeTarget, plaintext: Uint8Array): Promise<string> {
  const encrypter = new Encrypter();
  if ("passphrase" in target) {
    encrypter.setPassphrase(target.passphrase);
    encrypter.setScryptWorkFactor(target.workFactorLog2 ?? DEFAULT_WORK_FACTOR_LOG2);
  } else {
    if (target.recipients.length === 0) throw new RangeError("An age file needs a recipient.");
    for (const recipient of target.recipients) addRecipient(encrypter, recipient);
  }
  return armor.encode(await encrypter.encrypt(plaintext));
}

/** Decrypts an age v1 file, armored or not. */
export async function openAge(secrets: AgeSecrets, file: Uint8Array | string): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  for (const identity of secrets.identities ?? []) addIdentity(decrypter, identity);
  for (const passphrase of secrets.passphrases ?? []) decrypter.addPassphrase(passphrase);
  try {
    const bytes = Buffer.from(file);
    const isBinary = bytes.subarray(0, BINARY_START.length).equals(BINARY_START);
    return await decrypter.decrypt(isBinary ? bytes : armor.decode(bytes.toString("latin1")));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "it is damaged";
    throw new VaultError("altered", `The age file cannot be opened: ${reason}.`, { cause });
  }
}

/** The keys as an armored age file, whose plaintext is a key file: one line for each key. */
export function exportKeys(target: AgeTarget, keys: readonly Key[]): Promise<string> {
  return sealAge(target, Buffer.from(formatKeys(keys)));
}

/** The keys out of what exportKeys made. */
export async function importKeys(secrets: AgeSecrets, file: Uint8Array | string): Promise<Key[]> {
  return parseKeys(Buffer.from(await openAge(secrets, file)).toString());
}

function addRecipient(encrypter: Encrypter, recipient: string): void {
  try {
    encrypter.addRecipient(recipient);
  } catch (cause) {
    throw new VaultError("malformed", `"${recipient}" is no recipient of age: it begins with age1.`, {
      cause,
    });
  }
}

/** An identity is a secret: what is wrong with it is said without it. */
function addIdentity(decrypter: Decrypter, identity: string): void {
  try {
    decrypter.addIdentity(identity);
  } catch {
    throw new VaultError("malformed", "This is no identity of age: it begins with AGE-SECRET-KEY-.");
  }
}
