import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createRecordingLog, silentLog } from "../../../../../tests/support/log.ts";
import { createBreachedCheck } from "./breached.ts";
import { createPasswords } from "./passwords.ts";
import { checkStrength } from "./strength.ts";

const CHEAP = { memoryKib: 64, passes: 1, lanes: 1 };
const make = (options: object = {}) => createPasswords({ random: randomBytes, checks: [], cost: CHEAP, ...options });

describe("a password's hash", () => {
  it("holds its parameters, and is made anew when these have changed", async () => {
    const stored = await make().hash("a password of mine");
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await make().verify("a password of mine", stored)).toEqual({ isRight: true, rehash: null });
    const dearer = make({ cost: { ...CHEAP, passes: 2 } });
    const { isRight, rehash } = await dearer.verify("a password of mine", stored);
    expect(isRight).toBe(true);
    expect(rehash).toContain("m=64,t=2,p=1");
    expect((await dearer.verify("another one", stored)).rehash).toBe(null);
  });

  it("is the same for what looks the same", async () => {
    const stored = await make().hash("caf\u00e9 am Abend");
    expect((await make().verify("cafe\u0301 am Abend", stored)).isRight).toBe(true);
  });

  it("is computed for nobody too, and never right", async () => {
    expect(await make().verify("", null)).toEqual({ isRight: false, rehash: null });
    expect(await make().verify("x".repeat(100_000), await make().hash("y"))).toMatchObject({ isRight: false });
  });

  it("is refused when too many wait for theirs", async () => {
    const passwords = make({ atOnce: 1, waiting: 2 });
    const all = await Promise.allSettled(Array.from({ length: 5 }, () => passwords.hash("a password of mine")));
    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    const refused = all.find(({ status }) => status === "rejected");
    expect(refused).toMatchObject({ reason: { code: "LOGIN_BUSY" } });
    await expect(passwords.hash("afterwards again")).resolves.toBeTruthy();
  });
});

describe("a new password", () => {
  it("must be long enough and hard to guess, also by who knows its owner", async () => {
    const passwords = make({ checks: [checkStrength] });
    const check = (password: string) => passwords.demandStrong(password, ["johannes.mustermann@example.com"]);
    await expect(check("short")).rejects.toMatchObject({ code: "PASSWORD_WEAK" });
    await expect(check("x".repeat(257))).rejects.toMatchObject({ code: "PASSWORD_WEAK" });
    await expect(check("password1234")).rejects.toMatchObject({ code: "PASSWORD_WEAK" });
    await expect(check("johannes.mustermann@example.com1")).rejects.toMatchObject({ code: "PASSWORD_WEAK" });
    await expect(check("seven lamps under water")).resolves.toBe(undefined);
  });
});

describe("the list of breached passwords", () => {
  let server: Server | null = null;
  afterEach(() => server?.close());

  async function startList(answer: string): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    server = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.end(answer);
    });
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/range`, asked };
  }

  it("is told five digits of a hash, and believed", async () => {
    // SHA-1 of "password" is 5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8.
    const { url, asked } = await startList("0000:1\r\n1E4C9B93F3F0682250B6CF8331B7EE68FD8:9\r\n");
    const check = createBreachedCheck({ url, log: silentLog });
    expect(await check("password", [])).toMatch(/stolen/);
    expect(await check("seven lamps under water", [])).toBe(null);
    expect(asked[0]).toBe("/range/5BAA6");
  });

  it("takes an entry of nought for the padding that it is", async () => {
    const { url } = await startList("1E4C9B93F3F0682250B6CF8331B7EE68FD8:0");
    expect(await createBreachedCheck({ url, log: silentLog })("password", [])).toBe(null);
  });

  it("stops nobody while it does not answer, which is logged", async () => {
    const log = createRecordingLog();
    expect(await createBreachedCheck({ url: "http://127.0.0.1:1", log })("password", [])).toBe(null);
    expect(log.lines.map(({ level }) => level)).toEqual(["warn"]);
    expect(JSON.stringify(log.lines)).not.toContain("1E4C9B93F3F0682250B6CF8331B7EE68FD8");
  });
});
