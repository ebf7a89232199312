import { createPrivateKey, X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createSelfSigned } from "./self-signed.ts";

describe("a self-signed certificate", () => {
  it("is read by OpenSSL as what it was made to be", () => {
    const from = new Date("2026-11-01T12:00:00Z");
    const { cert, key } = createSelfSigned({ hosts: ["a.example", "*.b.example"], from, days: 10 });
    const read = new X509Certificate(cert);
    expect(read.subject).toBe("CN=a.example");
    expect(read.subjectAltName).toBe("DNS:a.example, DNS:*.b.example");
    expect(read.validFromDate).toEqual(from);
    expect(read.validToDate).toEqual(new Date("2026-11-11T12:00:00Z"));
    expect(read.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(read.verify(read.publicKey)).toBe(true);
  });

  it("may end after 2049, where the form of its times is another", () => {
    const from = new Date("2026-11-01T12:00:00Z");
    const { cert } = createSelfSigned({ hosts: ["a.example"], from, days: 36_500 });
    expect(new X509Certificate(cert).validToDate.getUTCFullYear()).toBe(2126);
  });

  it("says every length in as few octets as will do, as DER demands", () => {
    const { cert } = createSelfSigned({ hosts: ["a.example"], from: new Date(0), days: 1 });
    // 0x30 0x82 0x00 …: a sequence whose length has a leading zero.
    expect(new X509Certificate(cert).raw.toString("hex")).not.toContain("308200");
    expect(new X509Certificate(cert).raw.toString("hex").slice(0, 16)).toMatch(/^3082....308[12]/);
  });

  it("has a number of its own each time", () => {
    const make = () => createSelfSigned({ hosts: ["a.example"], from: new Date(0), days: 1 }).cert;
    const numbers = Array.from({ length: 20 }, () => new X509Certificate(make()).serialNumber);
    expect(new Set(numbers).size).toBe(20);
    expect(numbers.every((each) => each.length === 32)).toBe(true);
  });
});
