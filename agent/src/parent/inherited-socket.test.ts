import { describe, expect, it } from "vitest";
import { inheritedSocket } from "./inherited-socket.ts";

const handed = (env: Record<string, string>) => ({ env: { LISTEN_PID: "7", ...env }, pid: 7 });

describe("a socket of the service manager", () => {
  it("is found by its name, counted from descriptor 3", () => {
    const env = { LISTEN_FDS: "2", LISTEN_FDNAMES: "http:https" };
    expect(inheritedSocket("http", handed(env))).toBe(3);
    expect(inheritedSocket("https", handed(env))).toBe(4);
  });

  it("is nobody's where none was handed, it has another name, or it was meant for another process", () => {
    const env = { LISTEN_FDS: "1", LISTEN_FDNAMES: "http" };
    expect(inheritedSocket("http", { env: {}, pid: 7 })).toBe(null);
    expect(inheritedSocket("https", handed(env))).toBe(null);
    expect(inheritedSocket("http", { ...handed(env), pid: 8 })).toBe(null);
    expect(inheritedSocket("http", handed({ ...env, LISTEN_FDS: "0" }))).toBe(null);
  });
});
