import { describe, expect, it } from "vitest";
import { addressGroup, networkOf } from "./network.ts";

describe("addresses", () => {
  it("count one by one in IPv4, and by their /64 in IPv6", () => {
    expect(addressGroup("192.0.2.7")).toBe("192.0.2.7");
    expect(addressGroup("::ffff:192.0.2.7")).toBe("192.0.2.7");
    expect(addressGroup("2001:db8::1")).toBe("2001:db8:0:0::/64");
    expect(addressGroup("2001:0db8:0000:0000:ffff::1")).toBe("2001:db8:0:0::/64");
    expect(addressGroup("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
    expect(addressGroup("64:ff9b::192.0.2.33")).toBe("64:ff9b:0:0::/64");
    expect(addressGroup("nonsense")).toBe("unknown");
  });

  it("belong to a network", () => {
    expect(networkOf("192.0.2.7")).toBe("192.0.2.0/24");
    expect(networkOf("2001:db8:1:2::1")).toBe("2001:db8:1::/48");
  });
});
