import { describe, expect, it } from "vitest";
import { z } from "zod";
import { remote } from "./remote-section.ts";
import { remoteWrite } from "./remote-write-section.ts";

const url = "https://mimir.example.com";
const sections = [
  { section: "metrics.remote", schema: z.tuple([remote]) },
  { section: "metrics.remoteWrite[]", schema: remoteWrite },
];

describe.each(sections)("the connection of $section", ({ schema }) => {
  function parse(settings: object) {
    const { data, error } = schema.safeParse([{ url, ...settings }]);
    const faults = error?.issues.map(({ path, message }) => `${path.slice(1).join(".")}: ${message}`);
    return { settings: data?.[0], faults: faults?.join("\n") };
  }

  it("needs no settings", () => {
    const tlsConfig = {
      ...{ caFile: null, certFile: null, keyFile: null, serverName: null, insecureSkipVerify: false },
    };
    expect(parse({}).settings).toMatchObject({
      headers: {},
      basicAuth: null,
      authorization: null,
      tlsConfig,
    });
  });

  it("takes what proves who asks from elsewhere", () => {
    const secret = { file: "/etc/mainstay/mimir" };
    const settings = {
      headers: { "X-Scope-OrgID": "a", "X-Key": secret },
      basicAuth: { username: "mainstay", password: secret },
    };
    expect(parse(settings).settings).toMatchObject(settings);
    const authorization = { credentials: { env: "TOKEN" } };
    expect(parse({ authorization }).settings?.authorization).toEqual({ type: "Bearer", ...authorization });
  });

  it.each<[string, object, string]>([
    ["a URL with a password", { url: "https://a:b@c" }, "url: expected an http:// or https:// URL without"],
    [
      "a secret in the file",
      { authorization: { credentials: "x" } },
      "authorization.credentials: expected { env: NAME } or { file: path }",
    ],
    [
      "two ways to prove who one is",
      {
        basicAuth: { username: "a", password: { env: "A" } },
        authorization: { credentials: { env: "B" } },
      },
      "authorization: expected basicAuth or authorization, not both",
    ],
    [
      "a basic password as a token",
      { authorization: { type: "basic", credentials: { env: "B" } } },
      "authorization.type: expected basicAuth",
    ],
    [
      "half a certificate",
      { tlsConfig: { certFile: "a" } },
      "tlsConfig.keyFile: expected a certificate and its key",
    ],
    ["a header of several lines", { headers: { "X-Tenant": "a\r\nCookie: b" } }, "one line"],
    ["what is no name of a header", { headers: { "X Tenant": "a" } }, "expected the name of a header"],
    ...["Authorization", "Content-Type", "Host", "Cookie", "User-Agent", "Accept-Encoding"].map(
      (name): [string, object, string] => [
        `the header ${name}`,
        { headers: { [name]: "a" } },
        `headers.${name}: expected another header: Mainstay sets this one by itself`,
      ],
    ),
  ])("cannot have %s", (_, settings, words) => {
    expect(parse(settings).faults).toContain(words);
  });
});
