import type { KeyObject } from "node:crypto";
import { isSignatureOf, publicKeyOf } from "./ed25519.ts";
import { TOKEN_TYPE, type Claims, type PublicJwk } from "./form.ts";

/** A refusal says why, in words for a log: whoever sent the token need not be told. */
export type Verified = { claims: Claims; refusal: null } | { claims: null; refusal: string };
export interface TokenVerifier {
  verify(token: string, nowMs: number): Verified;
}

export interface VerifierSettings {
  issuer: string;
  audience: string;
  /** However long a token says that it lives. */
  maxLifetimeSeconds: number;
  /** The only keys there are. */
  keys: readonly PublicJwk[];
}

export const MAX_TOKEN_CHARACTERS = 4096;
/** By which the clock of who signed may be ahead. */
const LEEWAY_SECONDS = 5;
const FORM = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/;

/**
 * Reads tokens of one issuer for one audience; no key, algorithm or address of a token's own is ever used.
 */
export function createTokenVerifier(settings: VerifierSettings): TokenVerifier {
  const keys = new Map(settings.keys.map((jwk) => [jwk.kid, publicKeyOf(jwk.x)]));

  function claimsOf(token: string, nowMs: number): Claims {
    if (token.length > MAX_TOKEN_CHARACTERS) throw new Refusal("it is too long");
    const [, header = "", body = "", signature = ""] = FORM.exec(token) ?? [];
    const key = keyFor(readPart(header));
    if (!isSignatureOf(key, Buffer.from(`${header}.${body}`), decode(signature)))
      throw new Refusal("its signature is not that of its key");
    return mustHold(readPart(body), settings, nowMs / 1000);
  }

  function keyFor({ alg, typ, kid, ...others }: Record<string, unknown>): KeyObject {
    const isOurs = alg === "EdDSA" && typ === TOKEN_TYPE && Object.keys(others).length === 0;
    if (!isOurs) throw new Refusal("its header is none that is written here");
    const key = typeof kid === "string" ? keys.get(kid) : undefined;
    if (!key) throw new Refusal("its key is not known");
    return key;
  }

  return {
    verify(token, nowMs) {
      try {
        return { claims: claimsOf(token, nowMs), refusal: null };
      } catch (error) {
        if (error instanceof Refusal) return { claims: null, refusal: error.message };
        throw error;
      }
    },
  };
}

class Refusal extends Error {}

/** Only the one way to write the bytes: a token cannot be altered without becoming another one. */
function decode(part: string): Buffer {
  const bytes = Buffer.from(part, "base64url");
  if (part === "" || bytes.toString("base64url") !== part)
    throw new Refusal("it has not the form of a token");
  return bytes;
}

/** Only the one way to write the object: no key twice, no white space, nothing that two readers differ on. */
function readPart(part: string): Record<string, unknown> {
  const text = decode(part).toString("utf8");
  const value = parse(text);
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject || JSON.stringify(value) !== text) throw new Refusal("it does not hold canonical JSON");
  return { ...value };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal("it does not hold JSON");
  }
}

/** RFC 7519, section 4.1, with every claim demanded; RFC 8725, sections 3.8 to 3.10. */
function mustHold(claims: Record<string, unknown>, settings: VerifierSettings, now: number): Claims {
  const { iss, aud, sub, jti, iat, nbf, exp } = claims;
  if (iss !== settings.issuer) throw new Refusal("it is of another issuer");
  if (aud !== settings.audience) throw new Refusal("it is for another audience");
  if (typeof sub !== "string" || sub === "" || typeof jti !== "string" || jti === "")
    throw new Refusal("it names nobody");
  if (!isTime(iat) || !isTime(nbf) || !isTime(exp)) throw new Refusal("it does not say when it holds");
  if (exp <= now) throw new Refusal("it has expired");
  if (nbf > now + LEEWAY_SECONDS || iat > now + LEEWAY_SECONDS) throw new Refusal("it does not hold yet");
  if (exp - Math.min(iat, nbf) > settings.maxLifetimeSeconds) throw new Refusal("it would live too long");
  return { ...claims, iss, aud, sub, jti, iat, nbf, exp };
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}
