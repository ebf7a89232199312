export type { ByteStream } from "./byte-reader.ts";
export type { Context } from "./context.ts";
export {
  HEADER_BYTES,
  parseHeader,
  rewrap,
  type Algorithm,
  type Header,
  type Opening,
  type Sealing,
} from "./header.ts";
export { createKey, formatKey, formatKeys, keyOf, parseKey, parseKeys, type Key } from "./key.ts";
export { createKeyring, type Keyring, type KeyringSettings } from "./keyring.ts";
export { lockByPassphrase, openByPassphrase, RECOMMENDED_COST, type PassphraseCost } from "./passphrase.ts";
export { openRandomAccess, type ByteSource } from "./random-access.ts";
export type { Random } from "./random.ts";
export {
  reencryptAll,
  rewrapAll,
  statusOf,
  type HeldObject,
  type ObjectStore,
  type ReencryptStore,
  type RewrapStore,
  type RotationOutcome,
  type RotationProgress,
  type RotationSettings,
  type VaultStatus,
} from "./rotation.ts";
export { open, seal, WHOLE_LIMIT_BYTES } from "./seal.ts";
export { openStream, sealStream } from "./stream.ts";
export { VaultError, type VaultFault } from "./vault-error.ts";
