import { createPrivateKey, X509Certificate } from "node:crypto";

/** What a certificate says of itself. */
export interface CertificateFacts {
  names: string[];
  issuer: string;
  serial: string;
  /** SHA-256, in hexadecimal with colons. */
  fingerprint: string;
  notBefore: Date;
  notAfter: Date;
}

/** The leaf of a PEM chain. Throws what OpenSSL says of it. */
export function readCertificate(chain: string): CertificateFacts {
  const leaf = new X509Certificate(chain);
  return {
    names: dnsNames(leaf),
    issuer: commonNameOf(leaf.issuer),
    serial: leaf.serialNumber.toLowerCase(),
    fingerprint: leaf.fingerprint256,
    notBefore: leaf.validFromDate,
    notAfter: leaf.validToDate,
  };
}

/** Whether the private key (PEM) is the certificate's. */
export function isKeyOf(chain: string, key: string): boolean {
  return new X509Certificate(chain).checkPrivateKey(createPrivateKey(key));
}

/** RFC 9525, section 6.3: only alternative names count, not the subject's common name. */
function dnsNames(leaf: X509Certificate): string[] {
  const listed = (leaf.subjectAltName ?? "").split(", ").filter((each) => each.startsWith("DNS:"));
  return listed.map((each) => each.slice("DNS:".length).toLowerCase());
}

function commonNameOf(name: string): string {
  return /(?:^|\n)CN=(.*)/.exec(name)?.[1] ?? name.replaceAll("\n", ", ");
}

/** Whether one of the names stands for the host; a wildcard does for exactly one label. */
export function coversHost(names: readonly string[], host: string): boolean {
  return names.includes(host) || names.includes(`*${host.slice(host.indexOf("."))}`);
}
