import { lstat, readFile } from "node:fs/promises";
import { AppError, type PlatformConfig } from "@mainstay/api";
import {
  createKey,
  lockByPassphrase,
  openByPassphrase,
  parseKeys,
  VaultError,
  type Key,
  type Random,
} from "@mainstay/vault";
import { readKeyFile, usualKeyFile, writeKeyFile } from "./key-file.ts";

/** A key, and of one that was made of a passphrase the public lock that gives it again. */
export interface SourcedKey {
  key: Key;
  lock: string | null;
}

/** Where the wrapping keys come from: a file, the configuration or environment, passphrases. */
export interface KeySource {
  /** For messages. */
  name: string;
  /** Every key at hand; those of passphrases by their locks. */
  keys(locks: readonly string[]): Promise<SourcedKey[]>;
  /**
   * A key that has never been used: the last one at hand that is not among these, a passphrase that opens
   * none of the locks, or, where this server keeps the keys, a new one. Throws SECRETS_NO_NEW_KEY.
   */
  fresh(known: { ids: readonly string[]; locks: readonly string[] }): Promise<SourcedKey>;
  /** Keeps a key where it is found again; nothing where people keep them. */
  keep(key: Key): Promise<void>;
  /** Takes retired keys away, where this server keeps them. */
  forget(ids: readonly string[]): Promise<void>;
}

export interface KeySourceOptions {
  settings: PlatformConfig["secrets"];
  dataDirectory: string;
  random: Random;
}

/** The key source that the configuration asks for. */
export function createKeySource({ settings, dataDirectory, random }: KeySourceOptions): KeySource {
  const file = settings.keyFile ?? usualKeyFile(dataDirectory);
  const isKeptHere = settings.key === null && settings.passphrase === null && settings.passphraseFile === null;
  /** Deriving costs a good part of a second: once for each passphrase and lock. */
  const derived = new Map<string, Key | null>();

  async function written(): Promise<Key[]> {
    return [...(await readKeyFile(file)), ...parseSetting(settings.key)];
  }

  async function passphrases(): Promise<string[]> {
    const kept = settings.passphraseFile === null ? "" : await readPassphraseFile(settings.passphraseFile);
    return `${settings.passphrase ?? ""}\n${kept}`.split("\n").filter((line) => line.trim() !== "");
  }

  async function openLock(passphrase: string, lock: string): Promise<Key | null> {
    const name = `${lock}\n${passphrase}`;
    const known = derived.get(name);
    if (known !== undefined) return known;
    const key = await openByPassphrase(passphrase, lock).catch((error: unknown) => {
      if (error instanceof VaultError && error.fault === "wrong-passphrase") return null;
      throw error;
    });
    derived.set(name, key);
    return key;
  }

  async function keys(locks: readonly string[]): Promise<SourcedKey[]> {
    const found: SourcedKey[] = (await written()).map((key) => ({ key, lock: null }));
    const known = await passphrases();
    for (const lock of locks) {
      for (const passphrase of known) {
        const key = await openLock(passphrase, lock);
        if (key) found.push({ key, lock });
      }
    }
    return found;
  }

  async function fresh({ ids, locks }: { ids: readonly string[]; locks: readonly string[] }) {
    for (const passphrase of (await passphrases()).toReversed()) {
      const opened = await Promise.all(locks.map((lock) => openLock(passphrase, lock)));
      if (opened.every((key) => key === null)) return lockByPassphrase(passphrase, random);
    }
    const unknown = (await written()).findLast((key) => !ids.includes(key.id));
    if (unknown) return { key: unknown, lock: null };
    if (!isKeptHere) throw new AppError("SECRETS_NO_NEW_KEY", { where: name });
    return { key: createKey(random), lock: null };
  }

  async function keep(key: Key): Promise<void> {
    if (!isKeptHere) return;
    const there = await readKeyFile(file);
    if (!there.some(({ id }) => id === key.id)) await writeKeyFile(file, [...there, key]);
  }

  async function forget(ids: readonly string[]): Promise<void> {
    if (!isKeptHere) return;
    const there = await readKeyFile(file);
    const left = there.filter(({ id }) => !ids.includes(id));
    // Where the file cannot be written, a credential of systemd say, whoever wrote it takes them away.
    if (left.length < there.length) await writeKeyFile(file, left).catch(() => undefined);
  }

  const name = nameOf(settings, file);
  return { name, keys, fresh, keep, forget };
}

function nameOf({ key, passphrase, passphraseFile }: PlatformConfig["secrets"], file: string): string {
  if (key !== null) return "secrets.key (MAINSTAY_SECRETS_KEY)";
  if (passphrase !== null) return "secrets.passphrase (MAINSTAY_SECRETS_PASSPHRASE)";
  return passphraseFile ?? file;
}

function parseSetting(text: string | null): Key[] {
  if (text === null) return [];
  try {
    return parseKeys(text);
  } catch (cause) {
    const reason = cause instanceof VaultError ? cause.message : String(cause);
    throw new AppError("SECRETS_KEY_FILE", { file: "secrets.key", reason }, { cause });
  }
}

async function readPassphraseFile(file: string): Promise<string> {
  const reason = await lstat(file).then(
    ({ mode }) => ((mode & 0o007) === 0 ? null : "other accounts may read it (chmod o= mends that)"),
    (error: NodeJS.ErrnoException) => error.code ?? "it cannot be read",
  );
  if (reason !== null) throw new AppError("SECRETS_KEY_FILE", { file, reason });
  return readFile(file, "utf8");
}
