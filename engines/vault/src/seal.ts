import { KEY_BYTES, NONCE_BYTES, openGcm, sealGcm } from "./gcm.ts";
import {
  alteredError,
  contentData,
  HEADER_BYTES,
  unwrapDataKey,
  wrapDataKey,
  type Opening,
  type Sealing,
} from "./header.ts";
import { draw } from "./random.ts";
import { VaultError } from "./vault-error.ts";

/** What is larger is sealed as a stream. */
export const WHOLE_LIMIT_BYTES = 16 * 1024 * 1024;
const CONTENT_AT = HEADER_BYTES + NONCE_BYTES;

/** Seals something small under a data key of its own, for one place. */
export function seal(sealing: Sealing, plaintext: Uint8Array): Buffer {
  if (plaintext.length > WHOLE_LIMIT_BYTES) {
    const limit = `at most ${WHOLE_LIMIT_BYTES} bytes`;
    throw new VaultError(
      "too-large",
      `${plaintext.length} bytes in one piece (${limit}): seal them as a stream.`,
    );
  }
  const dataKey = draw(sealing.random, KEY_BYTES);
  const nonce = draw(sealing.random, NONCE_BYTES);
  const header = { algorithm: "whole", generation: sealing.keyring.generation } as const;
  const additionalData = contentData(header, sealing.context);
  const content = sealGcm({ key: dataKey, nonce, additionalData }, plaintext);
  return Buffer.concat([wrapDataKey(sealing, header, dataKey), nonce, content]);
}

/** What was sealed for this place, or a VaultError; nothing in between. */
export function open(opening: Opening, sealed: Uint8Array): Buffer {
  const { dataKey, ...header } = unwrapDataKey(opening, sealed);
  if (header.algorithm !== "whole") throw new VaultError("malformed", "Sealed as a stream: open it as one.");
  if (sealed.length < CONTENT_AT) throw alteredError(opening.context);
  const nonce = sealed.subarray(HEADER_BYTES, CONTENT_AT);
  const additionalData = contentData(header, opening.context);
  const plaintext = openGcm({ key: dataKey, nonce, additionalData }, sealed.subarray(CONTENT_AT));
  if (plaintext === null) throw alteredError(opening.context);
  return plaintext;
}
