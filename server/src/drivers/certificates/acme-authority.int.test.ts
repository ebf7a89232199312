import { once } from "node:events";
import { statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import path from "node:path";
import { platformFile, type Challenge } from "@mainstay/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HAS_PEBBLE, startPebble, type Pebble } from "../../../../tests/support/pebble.ts";
import { createTemporaryDirectory } from "../../../../tests/support/temporary.ts";
import { createAcmeAuthority } from "./acme-authority.ts";
import type { Authority } from "./authority.ts";
import { isKeyOf, readCertificate } from "./domain/certificate.ts";
import { createPrivateFiles } from "./private-files.ts";

const IS_CI = process.env["CI"] === "true";

it("where everything has to be tested, Debian's package pebble is installed", () => {
  expect(HAS_PEBBLE || !IS_CI, "apt-get install pebble").toBe(true);
});

describe.skipIf(!HAS_PEBBLE)("an ACME authority (Debian's pebble; skipped where it is absent)", () => {
  const home = createTemporaryDirectory();
  const challenges = new Map<string, string>();
  let answering: Server;
  let pebble: Pebble;
  let authority: Authority;

  beforeAll(async () => {
    answering = createServer((request, response) => {
      const token = request.url?.split("/").at(-1) ?? "";
      response.writeHead(challenges.has(token) ? 200 : 404).end(challenges.get(token));
    }).listen(0, "127.0.0.1");
    await once(answering, "listening");
    const address = answering.address();
    pebble = await startPebble({ httpPort: typeof address === "object" && address ? address.port : 0 });
    const { directory, caFile } = pebble;
    const settings = platformFile.parse({
      acme: { directory, caFile, agreeToTerms: true, email: "a@example.com" },
    });
    authority = createAcmeAuthority({ settings: settings.acme, keys: createPrivateFiles(home.path) });
  });
  afterAll(async () => {
    await pebble?.stop();
    answering?.close();
    home.remove();
  });

  async function prove({ token, answer }: Challenge): Promise<() => Promise<void>> {
    challenges.set(token, answer);
    return async () => void challenges.delete(token);
  }

  it("issues what the host has proven, and the challenge is taken back", async () => {
    const { chain, key } = await authority.issue("shop.example.com", prove);
    const facts = readCertificate(chain);
    expect(facts.names).toEqual(["shop.example.com"]);
    expect(facts.issuer).toMatch(/^Pebble Intermediate/);
    expect(isKeyOf(chain, key)).toBe(true);
    expect(chain.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(1);
    expect(challenges.size).toBe(0);
  });

  it("keeps one account, with a key that nobody else may read", async () => {
    const file = path.join(home.path, "acme-account.key");
    const { mtimeMs, mode } = statSync(file);
    expect(mode & 0o777).toBe(0o600);
    await authority.issue("second.example.com", prove);
    expect(statSync(file).mtimeMs).toBe(mtimeMs);
  });

  it("says in the authority's words why there is no certificate", async () => {
    const wrong = ({ token }: Challenge) => prove({ token, answer: "something else" });
    await expect(authority.issue("third.example.com", wrong)).rejects.toThrow(/key authorization file/i);
    expect(challenges.size).toBe(0);
  });

  it("says what the system says when nobody answers, or somebody who cannot be trusted", async () => {
    const { directory } = pebble;
    const keys = createPrivateFiles(home.path);
    const issueAt = (acme: object) => {
      const settings = platformFile.parse({ acme: { agreeToTerms: true, ...acme } }).acme;
      return createAcmeAuthority({ settings, keys }).issue("shop.example.com", prove);
    };
    await expect(issueAt({ directory })).rejects.toThrow(/self-signed certificate/);
    await expect(issueAt({ directory: "https://127.0.0.1:1/dir" })).rejects.toThrow(/ECONNREFUSED/);
    const elsewhere = directory.replace("/dir", "/nowhere");
    await expect(issueAt({ directory: elsewhere, caFile: pebble.caFile })).rejects.toThrow(/answers 404/);
  });
});
