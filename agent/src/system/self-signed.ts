import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

export interface SelfSigned {
  /** PEM. */
  cert: string;
  /** PEM. */
  key: string;
}

export interface SelfSignedOptions {
  /** The first one is the name of the certificate as well; at least one. */
  hosts: string[];
  from: Date;
  days: number;
}

const DAY_MS = 86_400_000;
const SERIAL_BYTES = 16;
/** Identifier octets (ITU-T X.690, section 8.1.2). */
const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
  dnsName: 0x82,
};
/** Object identifiers, encoded. */
const OID = {
  ecdsaWithSha256: "2a8648ce3d040302",
  commonName: "550403",
  subjectAltName: "551d11",
};

/** A certificate for a new P-256 key that nobody vouches for but the key itself (RFC 5280, section 4.1). */
export function createSelfSigned({ hosts, from, days }: SelfSignedOptions): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(objectId(OID.ecdsaWithSha256));
  const name = nameOf(hosts[0] ?? "");
  const until = new Date(from.getTime() + days * DAY_MS);
  const content = sequence(
    element(TAG.version, element(TAG.integer, Buffer.of(2))),
    element(TAG.integer, serialNumber()),
    algorithm,
    name,
    sequence(timeOf(from), timeOf(until)),
    name,
    publicKey.export({ format: "der", type: "spki" }),
    element(TAG.extensions, sequence(alternativeNames(hosts))),
  );
  const signature = sign("sha256", content, privateKey);
  const certificate = sequence(content, algorithm, element(TAG.bitString, Buffer.of(0), signature));
  return { cert: pemOf(certificate), key: privateKey.export({ format: "pem", type: "pkcs8" }).toString() };
}

/** Positive, and without a leading zero octet. */
function serialNumber(): Buffer {
  const serial = randomBytes(SERIAL_BYTES);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

function nameOf(commonName: string): Buffer {
  const text = element(TAG.utf8String, Buffer.from(commonName));
  return sequence(element(TAG.set, sequence(objectId(OID.commonName), text)));
}

/** RFC 5280, section 4.1.2.5: two digits of the year before 2050, four from then on. */
function timeOf(date: Date): Buffer {
  const text = `${date.toISOString().slice(0, 19).replaceAll(/[-:T]/g, "")}Z`;
  if (date.getUTCFullYear() >= 2050) return element(TAG.generalizedTime, Buffer.from(text, "latin1"));
  return element(TAG.utcTime, Buffer.from(text.slice(2), "latin1"));
}

function alternativeNames(hosts: string[]): Buffer {
  const names = hosts.map((host) => element(TAG.dnsName, Buffer.from(host, "latin1")));
  return sequence(objectId(OID.subjectAltName), element(TAG.octetString, sequence(...names)));
}

function objectId(encoded: string): Buffer {
  return element(TAG.objectId, Buffer.from(encoded, "hex"));
}

function sequence(...parts: Buffer[]): Buffer {
  return element(TAG.sequence, ...parts);
}

/** Tag, length and value (ITU-T X.690, section 8.1). */
function element(tag: number, ...parts: Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag), lengthOf(value.length), value]);
}

/** In as few octets as will do: DER allows no more (ITU-T X.690, section 10.1), and some parsers insist. */
function lengthOf(count: number): Buffer {
  if (count < 0x80) return Buffer.of(count);
  const digits = count.toString(16);
  const octets = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
  return Buffer.concat([Buffer.of(0x80 | octets.length), octets]);
}

function pemOf(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
