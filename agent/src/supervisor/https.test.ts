import type { HttpsSettings } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import type { WorkerHttps } from "../proxy/worker-protocol.ts";
import { createHttps } from "./https.ts";

const SETTINGS: HttpsSettings = {
  certificates: [{ hosts: ["a.example"], cert: "CERT", key: "KEY" }],
  port: 443,
  redirect: true,
  secureHosts: [],
  hstsSeconds: 60,
};

function start(saved: WorkerHttps | null = null) {
  const pushed: WorkerHttps[] = [];
  const kept: WorkerHttps[] = [];
  let randomness = 0;
  let tick = () => {};
  const https = createHttps({
    saved,
    push: async (each) => void pushed.push(each),
    save: async (each) => void kept.push(each),
    randomBytes: (count) => Buffer.alloc(count, (randomness += 1)),
    makeFallback: () => ({ cert: "FALLBACK", key: "FALLBACK-KEY" }),
    nowMs: () => 1000,
    every: (_, act) => {
      tick = act;
      return () => {};
    },
  });
  return { https, pushed, kept, tick: () => tick() };
}

describe("the settings of HTTPS", () => {
  it("go to workers and disk with a fallback and a ticket key, under a rising revision", async () => {
    const { https, pushed, kept } = start();
    expect(pushed).toEqual([]);
    await https.put(SETTINGS);
    await https.challenge([{ token: "t", answer: "t.x" }]);
    expect(kept).toEqual(pushed);
    expect(pushed.map((each) => each.revision)).toEqual([1000, 1001]);
    expect(pushed[1]).toMatchObject({
      ...SETTINGS,
      challenges: [{ token: "t", answer: "t.x" }],
      fallback: { cert: "FALLBACK" },
    });
    expect(Buffer.from(pushed[0]?.ticketKey ?? "", "base64")).toHaveLength(48);
  });

  it("are taken up by the next agent: certificates, fallback and ticket key, but no challenge", async () => {
    const first = start();
    await first.https.put(SETTINGS);
    await first.https.challenge([{ token: "t", answer: "t.x" }]);
    const saved = first.kept.at(-1) ?? null;
    const next = start(saved);
    expect(next.pushed).toEqual([{ ...saved, revision: 1002, challenges: [] }]);
  });

  it("get a new ticket key from time to time", async () => {
    const { https, pushed, tick } = start();
    await https.put(SETTINGS);
    tick();
    expect(pushed).toHaveLength(2);
    expect(pushed[1]?.ticketKey).not.toBe(pushed[0]?.ticketKey);
  });
});
