import { AppError } from "@mainstay/api";
import { open, seal, VaultError, type Keyring } from "@mainstay/vault";
import type { Random } from "../../kernel/ids.ts";

/** Where something sealed lies: it opens nowhere else. */
export type SealedPlace = readonly [table: string, column: string, row: string];

/** Seals what must not be read in the database, under a data key of its own. Up to 16 MiB. */
export interface Sealer {
  seal(place: SealedPlace, plaintext: Uint8Array): Uint8Array;
  /** Throws SECRETS_UNREADABLE, which holds nothing of the content. */
  open(place: SealedPlace, sealed: Uint8Array): Uint8Array;
}

/** The keyring is asked for each time: a rotation replaces it while the server runs. */
export function createSealer({ keyring, random }: { keyring(): Keyring; random: Random }): Sealer {
  return {
    seal: (place, plaintext) => seal({ keyring: keyring(), random, context: place }, plaintext),
    open(place, sealed) {
      try {
        return open({ keyring: keyring(), context: place }, sealed);
      } catch (error) {
        throw error instanceof VaultError ? refusal(error, place) : error;
      }
    },
  };
}

function refusal(cause: VaultError, place: SealedPlace): AppError {
  return new AppError("SECRETS_UNREADABLE", { place: place.join(" / "), reason: cause.message }, { cause });
}
