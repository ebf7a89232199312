import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { readKey, signatureHeader } from "./signature.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEWER = `whsec_${Buffer.alloc(64, 9).toString("base64")}`;

describe("the signature of a webhook", () => {
  it("is the one that the Standard Webhooks libraries publish as their test vector", () => {
    const content = {
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      timestampSeconds: 1_614_265_330,
      body: '{"test": 2432232314}',
    };
    const header = signatureHeader(content, [readKey(SECRET)]);
    expect(header).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  it("is taken by the official verifier with the new secret and with the old one, and with no other", () => {
    const timestampSeconds = Math.floor(Date.now() / 1000);
    fc.assert(
      fc.property(fc.json(), fc.uuid(), (body, uuid) => {
        const id = `dlv_${uuid}`;
        const signature = signatureHeader({ id, timestampSeconds, body }, [readKey(NEWER), readKey(SECRET)]);
        const headers = {
          "webhook-id": id,
          "webhook-timestamp": String(timestampSeconds),
          "webhook-signature": signature,
        };
        for (const each of [SECRET, NEWER])
          expect(new Webhook(each).verify(body, headers)).toEqual(JSON.parse(body));
        const other = new Webhook(`whsec_${Buffer.alloc(32).toString("base64")}`);
        expect(() => other.verify(body, headers)).toThrow("No matching signature found");
        expect(() => new Webhook(SECRET).verify(`${body} `, headers)).toThrow("No matching signature found");
      }),
    );
  });
});

describe("a secret", () => {
  it("is read with the line's end that files have", () => {
    expect(readKey(`${SECRET}\n`)).toHaveLength(24);
  });

  it.each([
    ["without its prefix", SECRET.slice(6)],
    ["too short", `whsec_${Buffer.alloc(23).toString("base64")}`],
    ["too long", `whsec_${Buffer.alloc(65).toString("base64")}`],
    ["that is no base64", `whsec_${"?".repeat(40)}`],
    ["that is empty", ""],
  ])("%s is refused in words that do not repeat it", (_, secret) => {
    expect(() => readKey(secret)).toThrow(
      /^a secret is not of the form whsec_ and base64 of 24 to 64 bytes$/,
    );
  });
});
