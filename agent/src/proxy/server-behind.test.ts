import { describe, expect, it } from "vitest";
import { readProxyHeader } from "./server-behind.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";

function header(family: string, body: string): Buffer {
  const length = (body.length / 2).toString(16).padStart(4, "0");
  return Buffer.from(`${SIGNATURE}21${family}${length}${body}`, "hex");
}

describe("the head of the PROXY protocol", () => {
  it("names the client by IPv4 and by IPv6, and how long it is", () => {
    expect(readProxyHeader(header("11", "c0000201 7f000001 1f90 0050".replaceAll(" ", "")))).toEqual({
      address: "192.0.2.1",
      bytes: 28,
    });
    const six = `20010db8${"0".repeat(23)}1`;
    expect(readProxyHeader(header("21", `${six}${six}1f900050`))).toEqual({
      address: "2001:db8:0:0:0:0:0:1",
      bytes: 52,
    });
  });

  it("says nothing of the client where the sender speaks for itself", () => {
    expect(readProxyHeader(header("00", ""))).toEqual({ address: null, bytes: 16 });
  });

  it("is waited for, and told from anything else by its first byte", () => {
    expect(readProxyHeader(header("11", "c00002017f0000011f900050").subarray(0, 20))).toBe("more");
    expect(readProxyHeader(Buffer.from("GET / HTTP/1.1"))).toBeNull();
  });
});
