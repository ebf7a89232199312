import type { Key } from "./key.ts";
import { VaultError } from "./vault-error.ts";

/** The keys that may open, and the one that seals. */
export interface Keyring {
  active: Key;
  /** Round of re-encryption that new data keys belong to. */
  generation: number;
  ids: readonly string[];
  find(id: string): Key;
}

export interface KeyringSettings {
  keys: readonly Key[];
  activeId: string;
  generation?: number;
}

const MAX_GENERATION = 2 ** 32 - 1;

/** A keyring of one or more keys, one of which is active. */
export function createKeyring({ keys, activeId, generation = 0 }: KeyringSettings): Keyring {
  if (!Number.isInteger(generation) || generation < 0 || generation > MAX_GENERATION) {
    throw new RangeError(`A generation is a whole number from 0 to ${MAX_GENERATION}, not ${generation}.`);
  }
  const byId = new Map(keys.map((key) => [key.id, key]));
  const find = (id: string) => {
    const key = byId.get(id);
    if (key !== undefined) return key;
    throw new VaultError(
      "unknown-key",
      `The key ${id} is not at hand; there are: ${[...byId.keys()].join(", ")}.`,
    );
  };
  return { active: find(activeId), generation, ids: [...byId.keys()], find };
}
