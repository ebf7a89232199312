import { AppError } from "@mainstay/api";
import type { KeyRow } from "./access-store.ts";
import { readAddressRanges } from "./address-ranges.ts";

/** Until when and from where a key is accepted. */
type Confinement = Pick<KeyRow, "expires_at" | "allowed_addresses">;

/**
 * What a key that is made by another key may be: it ends no later, and is accepted from nowhere else, so that
 * whoever stole the one gains nothing. Says nothing where
 * the wish does; throws KEY_ADDRESSES for a wider one.
 */
export function confineTo(maker: Confinement, wish: Confinement): Confinement {
  const ends = [maker.expires_at, wish.expires_at].filter((end) => end !== null);
  const expires_at = ends.toSorted((one, other) => one.getTime() - other.getTime())[0] ?? null;
  if (wish.allowed_addresses.length === 0) return { expires_at, allowed_addresses: maker.allowed_addresses };
  const isAllowed = readAddressRanges(maker.allowed_addresses) ?? (() => true);
  for (const range of wish.allowed_addresses) {
    if (maker.allowed_addresses.length === 0 || maker.allowed_addresses.includes(range)) continue;
    // Of a range it is not known whether all of it lies within.
    if (range.includes("/") || !isAllowed(range))
      throw new AppError("KEY_ADDRESSES", {
        reason: `${range} is not among the addresses of the key that makes it`,
      });
  }
  return { expires_at, allowed_addresses: wish.allowed_addresses };
}

/** Whether a key is accepted at no time and from nowhere that the other one is not. */
export function isConfinedTo(maker: Confinement, key: Confinement): boolean {
  const endsInTime =
    maker.expires_at === null || (key.expires_at !== null && key.expires_at <= maker.expires_at);
  const isEverywhere = maker.allowed_addresses.length === 0;
  const addresses = key.allowed_addresses;
  const isWithin = addresses.length > 0 && addresses.every((each) => maker.allowed_addresses.includes(each));
  return endsInTime && (isEverywhere || isWithin);
}
