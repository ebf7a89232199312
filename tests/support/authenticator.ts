import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";

/** A passkey in software: WebAuthn level 3, ES256, attestation "none", the user always verified. */
export interface Authenticator {
  /** What navigator.credentials.create answers. */
  create(options: unknown, change?: Partial<Circumstances>): object;
  /** What navigator.credentials.get answers. */
  get(options: unknown, change?: Partial<Circumstances>): object;
  id: string;
  /** Sets the number of uses back, as a clone would have it. */
  rewind(counter: number): void;
}

export interface Circumstances {
  origin: string;
  rpId: string;
  flags: number;
  /** Signs with another key than the one that was registered. */
  isForged: boolean;
  userHandle: string;
}

/** Flags of authenticator data (§6.1): user present, user verified, credential data included. */
const PRESENT = 0x01;
const VERIFIED = 0x04;
const ATTESTED = 0x40;

export function createAuthenticator(origin: string): Authenticator {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const id = randomBytes(16);
  const usual = { origin, rpId: new URL(origin).hostname, flags: PRESENT | VERIFIED, isForged: false };
  let counter = 0;
  let handle = "";

  function dataFor({ rpId, flags }: Pick<Circumstances, "rpId" | "flags">, attested = Buffer.alloc(0)): Buffer {
    counter += 1;
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    return Buffer.concat([sha256(rpId), Buffer.from([flags]), count, attested]);
  }

  return {
    id: id.toString("base64url"),
    rewind: (to) => void (counter = to),
    create(options, change = {}) {
      const { challenge, user } = options as { challenge: string; user: { id: string } };
      const here = { ...usual, ...change };
      handle = user.id;
      const size = Buffer.alloc(2);
      size.writeUInt16BE(id.length);
      const attested = Buffer.concat([Buffer.alloc(16), size, id, coseKey(publicKey)]);
      const authData = dataFor({ ...here, flags: here.flags | ATTESTED }, attested);
      const attestation = cbor(new Map<Cbor, Cbor>([["fmt", "none"], ["attStmt", new Map()], ["authData", authData]]));
      const response = {
        clientDataJSON: clientData("webauthn.create", challenge, here.origin),
        attestationObject: attestation.toString("base64url"),
        transports: ["internal"],
      };
      return answer(id, response);
    },
    get(options, change = {}) {
      const { challenge } = options as { challenge: string };
      const here = { ...usual, userHandle: handle, ...change };
      const authData = dataFor(here);
      const clientDataJSON = clientData("webauthn.get", challenge, here.origin);
      const signed = Buffer.concat([authData, sha256(Buffer.from(clientDataJSON, "base64url"))]);
      const key = here.isForged ? generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey : privateKey;
      const response = {
        clientDataJSON,
        authenticatorData: authData.toString("base64url"),
        signature: sign("sha256", signed, key).toString("base64url"),
        userHandle: here.userHandle,
      };
      return answer(id, response);
    },
  };
}

function answer(id: Buffer, response: object): object {
  const text = id.toString("base64url");
  return { id: text, rawId: text, type: "public-key", clientExtensionResults: {}, response };
}

function clientData(type: string, challenge: string, origin: string): string {
  return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false })).toString("base64url");
}

function sha256(data: string | Buffer): Buffer {
  return createHash("sha256").update(data).digest();
}

/** RFC 9053 §7.1.1: key type EC2, algorithm ES256, curve P-256, and both coordinates. */
function coseKey(key: KeyObject): Buffer {
  const { x = "", y = "" } = key.export({ format: "jwk" });
  const parts: [Cbor, Cbor][] = [
    [1, 2],
    [3, -7],
    [-1, 1],
    [-2, Buffer.from(x, "base64url")],
    [-3, Buffer.from(y, "base64url")],
  ];
  return cbor(new Map(parts));
}

type Cbor = number | string | Buffer | Map<Cbor, Cbor>;

/** The few kinds of RFC 8949 that passkeys are made of. */
function cbor(value: Cbor): Buffer {
  if (typeof value === "number") return value >= 0 ? head(0, value) : head(1, -1 - value);
  if (typeof value === "string") return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  return Buffer.concat([head(5, value.size), ...[...value].flatMap(([name, item]) => [cbor(name), cbor(item)])]);
}

function head(major: number, argument: number): Buffer {
  if (argument < 24) return Buffer.from([(major << 5) | argument]);
  if (argument < 256) return Buffer.from([(major << 5) | 24, argument]);
  return Buffer.from([(major << 5) | 25, argument >> 8, argument & 0xff]);
}
