import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openIdentityHouse, type IdentityHouse } from "../../../../tests/support/identity-house.ts";
import { makeApiKey } from "./domain/api-key.ts";

let house: IdentityHouse;
let key = "";
beforeAll(async () => {
  house = await openIdentityHouse();
  key = (await house.setUp()).key ?? "";
});
afterAll(() => house.close());

const authenticate = (authorization?: string) =>
  house.identity.authenticate({
    headers: authorization === undefined ? {} : { authorization },
    address: "127.0.0.1",
    method: "GET",
  });

describe("authentication", () => {
  it("knows the admin by the key, who may do everything", async () => {
    const admin = await authenticate(`bearer  ${key}`);
    expect(admin?.actor).toEqual({ type: "key", id: key.slice(3, 11), name: "setup" });
    expect(admin?.can("changes.write")).toBe(true);
  });

  it("finds nobody in a request without a key", async () => {
    for (const header of [undefined, "", "Basic abc", "Bearer", "Bearer a b"]) {
      expect(await authenticate(header)).toBe(null);
    }
  });

  it("says what is wrong with a key, and never repeats it", async () => {
    const stranger = makeApiKey(randomBytes).text;
    const forged = makeForged(key);
    const refusals: [string, string][] = [
      ["ghp_123", "this is no Mainstay key: those begin with mk_"],
      [key.slice(0, -1), "the key is mistyped or cut off: its checksum does not fit"],
      [stranger, "the key is not known to this server"],
      [forged, "the key is not known to this server"],
    ];
    for (const [text, message] of refusals) {
      await expect(authenticate(`Bearer ${text}`)).rejects.toMatchObject({
        code: "UNAUTHENTICATED",
        errors: [{ path: "headers.authorization", message }],
      });
    }
  });
});

/** A well-formed key with the id of another one. */
function makeForged(key: string): string {
  const idBytes = key
    .slice(3, 11)
    .split("")
    .map((digit) => "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".indexOf(digit));
  return makeApiKey((sizeBytes) => (sizeBytes === 8 ? Uint8Array.from(idBytes) : randomBytes(sizeBytes)))
    .text;
}
