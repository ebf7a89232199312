import { createHmac, createPrivateKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSigningKey, createTokenVerifier, MAX_TOKEN_CHARACTERS, type Claims } from "./index.ts";

const NOW = Date.parse("2026-11-01T12:00:00Z") / 1000;
const seed = Buffer.alloc(32, 7);
const key = createSigningKey(seed);
const other = createSigningKey(Buffer.alloc(32, 8));
const settings = { issuer: "https://prod.example.com", audience: "realtime", maxLifetimeSeconds: 900 };
const verifier = createTokenVerifier({ ...settings, keys: [key.jwk] });
const claims: Claims = {
  ...{ iss: settings.issuer, aud: "realtime", sub: "user:usr_ann", jti: "tok_1" },
  ...{ iat: NOW, nbf: NOW, exp: NOW + 300 },
};

const privateKey = createPrivateKey({
  key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]),
  format: "der",
  type: "pkcs8",
});
const HEADER = { alg: "EdDSA", typ: "at+jwt", kid: key.jwk.kid };
const base64url = (text: string) => Buffer.from(text).toString("base64url");

/** Signed as it should be, over whatever texts. */
function forge(header: string, body: string): string {
  const signed = `${base64url(header)}.${base64url(body)}`;
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString("base64url")}`;
}
const withHeader = (header: object) => forge(JSON.stringify(header), JSON.stringify(claims));
const withClaims = (more: Record<string, unknown>) =>
  forge(JSON.stringify(HEADER), JSON.stringify({ ...claims, ...more }));
const refusalOf = (token: string, atSeconds = NOW) => verifier.verify(token, atSeconds * 1000).refusal;

/** RFC 8032, section 5.1: the order of the group, little-endian. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

function addOrder(signature: Buffer): Buffer {
  const scalar = BigInt(`0x${Buffer.from(signature.subarray(32).toReversed()).toString("hex")}`) + ORDER;
  const bytes = Buffer.from(scalar.toString(16).padStart(64, "0"), "hex").toReversed();
  return Buffer.concat([signature.subarray(0, 32), bytes]);
}

describe("a token", () => {
  it("is accepted as it was signed", () => {
    expect(verifier.verify(key.sign(claims), NOW * 1000)).toEqual({ claims, refusal: null });
    expect(key.sign(claims)).toBe(forge(JSON.stringify(HEADER), JSON.stringify(claims)));
  });

  it("names its key by the thumbprint of RFC 8037, appendix A.3", () => {
    const vector = createSigningKey(Buffer.from("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", "base64url"));
    expect(vector.jwk.x).toBe("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    expect(vector.jwk.kid).toBe("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  });

  it("is refused after any change of a single character", () => {
    const token = key.sign(claims);
    const place = fc.nat(token.length - 1);
    const character = fc.constantFrom(..."ABCZabcz019-_.=+/ ~".split(""));
    fc.assert(
      fc.property(place, character, (at, replacement) => {
        fc.pre(token[at] !== replacement);
        return refusalOf(token.slice(0, at) + replacement + token.slice(at + 1)) !== null;
      }),
      { numRuns: 2000 },
    );
  });

  it("is refused, never thrown over, whatever text it is", () => {
    fc.assert(fc.property(fc.string(), (text) => refusalOf(text) !== null));
    fc.assert(fc.property(fc.json(), fc.json(), (head, body) => refusalOf(forge(head, body)) !== null));
  });
});

describe("a confusion of algorithms or keys is refused:", () => {
  const unsigned = (header: object) =>
    `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}.`;
  const hmacOf = (secret: Buffer | string) => {
    const header = JSON.stringify({ ...HEADER, alg: "HS256" });
    const signed = `${base64url(header)}.${base64url(JSON.stringify(claims))}`;
    return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
  };
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const rsaToken = () => {
    const header = JSON.stringify({ ...HEADER, alg: "RS256" });
    const signed = `${base64url(header)}.${base64url(JSON.stringify(claims))}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), rsa).toString("base64url")}`;
  };

  it.each([
    ["alg none", unsigned({ ...HEADER, alg: "none" })],
    ["alg None", unsigned({ ...HEADER, alg: "None" })],
    ["alg NONE", unsigned({ ...HEADER, alg: "NONE" })],
    ["no alg", unsigned({ typ: "at+jwt", kid: HEADER.kid })],
    ["a signature left away", key.sign(claims).replace(/[^.]+$/, "")],
    ["only two parts", key.sign(claims).replace(/\.[^.]+$/, "")],
    ["alg none with a good signature", withHeader({ ...HEADER, alg: "none" })],
    ["HS256 with the public key's bytes", hmacOf(Buffer.from(key.jwk.x, "base64url"))],
    ["HS256 with the public key's text", hmacOf(key.jwk.x)],
    ["HS256 with the whole JWK", hmacOf(JSON.stringify(key.jwk))],
    ["HS256 with nothing", hmacOf("")],
    ["RS256 with a key of its own", rsaToken()],
    ["alg Ed448", withHeader({ ...HEADER, alg: "Ed448" })],
    ["alg eddsa", withHeader({ ...HEADER, alg: "eddsa" })],
    ["an unknown kid", other.sign(claims)],
    ["the kid of ours with another key's signature", replaceHeader(other.sign(claims))],
    ["a kid that is a path", withHeader({ ...HEADER, kid: "../../dev/null" })],
    ["a kid that is SQL", withHeader({ ...HEADER, kid: "' or 1=1 --" })],
    ["a kid that is a list", withHeader({ ...HEADER, kid: [HEADER.kid] })],
    ["a kid that every object has", withHeader({ ...HEADER, kid: "__proto__" })],
    ["no kid", withHeader({ alg: "EdDSA", typ: "at+jwt" })],
    ["a key in the header", withHeader({ ...HEADER, jwk: other.jwk })],
    ["a key's address in the header", withHeader({ ...HEADER, jku: "https://evil.example/jwks.json" })],
    ["a certificate in the header", withHeader({ ...HEADER, x5c: ["MIIB"] })],
    ["a certificate's address in the header", withHeader({ ...HEADER, x5u: "https://evil.example/c" })],
    ["a critical extension", withHeader({ ...HEADER, crit: ["exp"] })],
    ["b64 false (RFC 7797)", withHeader({ ...HEADER, b64: false, crit: ["b64"] })],
    ["a compressed body", withHeader({ ...HEADER, zip: "DEF" })],
    ["a nested token", withHeader({ ...HEADER, cty: "JWT" })],
    ["typ JWT", withHeader({ ...HEADER, typ: "JWT" })],
    ["no typ", withHeader({ alg: "EdDSA", kid: HEADER.kid })],
    ["another order of the header", withHeader({ kid: HEADER.kid, typ: "at+jwt", alg: "EdDSA", jku: "x" })],
  ])("%s", (_name, token) => {
    expect(refusalOf(token)).not.toBe(null);
  });

  function replaceHeader(token: string): string {
    return [base64url(JSON.stringify(HEADER)), ...token.split(".").slice(1)].join(".");
  }
});

describe("a token that another reader might understand differently is refused:", () => {
  const body = JSON.stringify(claims);
  const good = key.sign(claims);
  const [head = "", payload = "", signature = ""] = good.split(".");
  it.each([
    ["a claim twice", forge(JSON.stringify(HEADER), body.replace("{", '{"sub":"user:usr_root",'))],
    ["a claim twice, escaped", forge(JSON.stringify(HEADER), body.replace("{", '{"s\\u0075b":"x",'))],
    ["a header twice", forge(JSON.stringify(HEADER).replace("{", '{"alg":"none",'), body)],
    ["white space in the JSON", forge(JSON.stringify(HEADER), JSON.stringify(claims, null, 1))],
    ["text behind the JSON", forge(JSON.stringify(HEADER), `${body} `)],
    ["a byte order mark", forge(JSON.stringify(HEADER), `\uFEFF${body}`)],
    ["a list", forge(JSON.stringify(HEADER), `[${body}]`)],
    ["null", forge(JSON.stringify(HEADER), "null")],
    ["a number like 1e3", forge(JSON.stringify(HEADER), body.replace(`${NOW}`, `${NOW}.0`))],
    ["padding", `${head}.${payload}.${signature}==`],
    ["the other alphabet of base64", good.replaceAll("-", "+").replaceAll("_", "/") + "="],
    ["bits behind the end", `${head}.${payload}.${signature.slice(0, -1)}${nextOf(signature.at(-1))}`],
    ["a line break", `${good}\n`],
    ["a space", ` ${good}`],
    ["a fourth part", `${good}.${signature}`],
    ["the JSON form of a signature", JSON.stringify({ protected: head, payload, signature })],
    ["characters that are no UTF-8", `${head}.${Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url")}.x`],
    ["more characters than there may be", withClaims({ pad: "a".repeat(MAX_TOKEN_CHARACTERS) })],
    ["megabytes", `${head}.${"A".repeat(5_000_000)}.${signature}`],
  ])("%s", (_name, token) => {
    expect(refusalOf(token)).not.toBe(null);
  });

  /** The last of 86 characters holds two bits and four that have to be 0. */
  function nextOf(character = "A"): string {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return alphabet[alphabet.indexOf(character) + 1] ?? "B";
  }
});

describe("a signature that could be made from a good one without the key is refused:", () => {
  const token = key.sign(claims);
  const signed = token.slice(0, token.lastIndexOf("."));
  const bytes = Buffer.from(token.slice(signed.length + 1), "base64url");
  const zero = Buffer.alloc(64);
  const identity = Buffer.concat([Buffer.from([1]), Buffer.alloc(63)]);
  it.each([
    ["S plus the order of the group", addOrder(bytes)],
    ["all zeros", zero],
    ["the identity and zero", identity],
    ["one byte more", Buffer.concat([bytes, Buffer.alloc(1)])],
    ["one byte less", bytes.subarray(0, 63)],
    [
      "that of another text",
      Buffer.from(key.sign({ ...claims, jti: "tok_2" }).split(".")[2] ?? "", "base64url"),
    ],
  ])("%s", (_name, signature) => {
    expect(refusalOf(`${signed}.${signature.toString("base64url")}`)).toBe(
      "its signature is not that of its key",
    );
  });
});

describe("the claims", () => {
  it.each([
    ["of another issuer", { iss: "https://evil.example.com" }, "it is of another issuer"],
    ["of an issuer with a slash more", { iss: `${settings.issuer}/` }, "it is of another issuer"],
    ["without an issuer", { iss: undefined }, "it is of another issuer"],
    ["for another audience", { aud: "agent" }, "it is for another audience"],
    ["for several audiences", { aud: ["realtime", "agent"] }, "it is for another audience"],
    ["for a list of one audience", { aud: ["realtime"] }, "it is for another audience"],
    ["without an audience", { aud: undefined }, "it is for another audience"],
    ["about nobody", { sub: "" }, "it names nobody"],
    ["about an object", { sub: { id: "x" } }, "it names nobody"],
    ["without a name of its own", { jti: undefined }, "it names nobody"],
    ["without an end", { exp: undefined }, "it does not say when it holds"],
    ["with an end in words", { exp: `${NOW + 60}` }, "it does not say when it holds"],
    ["with an end that never comes", { exp: 1e300 }, "it does not say when it holds"],
    ["with a negative beginning", { iat: -1 }, "it does not say when it holds"],
    ["expired", { exp: NOW }, "it has expired"],
    ["not yet valid", { nbf: NOW + 6 }, "it does not hold yet"],
    ["made in the future", { iat: NOW + 6 }, "it does not hold yet"],
    ["valid for too long", { exp: NOW + 901 }, "it would live too long"],
    ["valid for too long from an early beginning", { nbf: NOW - 700 }, "it would live too long"],
  ])("are refused %s", (_name, more, refusal) => {
    expect(refusalOf(withClaims(more))).toBe(refusal);
  });

  it("may be a few seconds ahead of the reader's clock", () => {
    expect(refusalOf(withClaims({ iat: NOW + 4, nbf: NOW + 4 }))).toBe(null);
  });

  it("hold until their end and not a moment longer", () => {
    const token = key.sign(claims);
    expect(refusalOf(token, NOW + 299.999)).toBe(null);
    expect(refusalOf(token, NOW + 300)).toBe("it has expired");
  });
});

describe("a signing key", () => {
  it("is made of 32 bytes, no fewer", () => {
    expect(() => createSigningKey(randomBytes(31))).toThrow("32 bytes");
  });

  it("tells its public half alone", () => {
    expect(JSON.stringify(key.jwk)).not.toContain(seed.toString("base64url"));
    expect(Object.keys(key.jwk).toSorted()).toEqual(["alg", "crv", "kid", "kty", "use", "x"]);
  });
});
