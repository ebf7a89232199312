/** Bytes or a document that are not what they should be. The message says what was wrong and where. */
export class WireError extends Error {
  override name = "WireError";
}
