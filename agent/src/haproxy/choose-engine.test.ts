import { describe, expect, it } from "vitest";
import { chooseEngine } from "./choose-engine.ts";

const DEBIAN = "HAProxy version 2.6.12-1+deb12u4 2026/10/17\nFeature list : +EPOLL +OPENSSL +PCRE2";
const good = { haproxy: DEBIAN, hasSetpriv: true, hasTls: false };

describe("the engine of the data plane", () => {
  it("is Node unless something else is asked for; nothing is looked at then", () => {
    const look = () => {
      throw new Error("looked");
    };
    expect(chooseEngine("node", look)).toEqual({ engine: "node", reason: null });
  });

  it("is HAProxy where it is there and good enough", () => {
    expect(chooseEngine("auto", () => good)).toEqual({ engine: "haproxy", reason: null });
    expect(chooseEngine("haproxy", () => good)).toEqual({ engine: "haproxy", reason: null });
  });

  it("is HAProxy beside HTTPS where it is asked for by name", () => {
    expect(chooseEngine("haproxy", () => ({ ...good, hasTls: true })).engine).toBe("haproxy");
  });

  it.each([
    [{ ...good, haproxy: null }, "HAProxy is not installed"],
    [{ ...good, haproxy: DEBIAN.replace("2.6.12", "2.4.22") }, "HAProxy 2.4 is older than 2.6"],
    [{ ...good, haproxy: DEBIAN.replace("+OPENSSL", "-OPENSSL") }, /without OpenSSL/],
    [{ ...good, hasSetpriv: false }, /setpriv/],
    [{ ...good, hasTls: true }, /only Node redirects/],
  ])("is Node where it is not, and says why", (facts, reason) => {
    const choice = chooseEngine("auto", () => facts);
    expect(choice.engine).toBe("node");
    expect(choice.reason).toMatch(reason);
  });
});
