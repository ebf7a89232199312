import { describe, expect, it } from "vitest";
import { demandAllowedHost } from "./allowed-host.ts";

const settings = { publicHost: "mainstay.example.com", allowedHosts: ["prod-1", "prod-1.internal"] };
const ask = (host: string | undefined) => () => demandAllowedHost(host, settings);

describe("the name that a request is sent to", () => {
  it.each([
    "localhost",
    "localhost:7700",
    "LOCALHOST:80",
    "app.localhost:7700",
    "127.0.0.1:7700",
    "10.0.0.5",
    "[::1]:7700",
    "[fd00::1]",
    "mainstay.example.com",
    "Mainstay.Example.COM:443",
    "mainstay.example.com.",
    "prod-1:7700",
    "prod-1.internal",
  ])("may be %s", (host) => expect(ask(host)).not.toThrow());

  it.each([
    "evil.example.com",
    "evil.example.com:7700",
    "mainstay.example.com.evil.com",
    "evilmainstay.example.com",
    "localhost.evil.com",
    "127.0.0.1.nip.io",
    "127.0.0.1.evil.com",
    "prod-2",
    "",
    " ",
    "localhost@evil.com",
    "localhost/evil.com",
    "evil.com#localhost",
    "localhost\r\nx: y",
    "[::1",
    "[evil.com]",
    "localhost:port",
    "lоcalhost",
    undefined,
  ])("may not be %j", (host) => {
    expect(ask(host)).toThrowError(expect.objectContaining({ code: "HOST_REFUSED", status: 421 }));
  });
});
