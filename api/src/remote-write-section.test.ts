import { describe, expect, it } from "vitest";
import { remoteWrite } from "./remote-write-section.ts";

const URL = "https://mimir.example.com:9009/api/v1/push";

function faultOf(remotes: unknown): string | undefined {
  const [issue] = remoteWrite.safeParse(remotes).error?.issues ?? [];
  return issue && `${issue.path.join(".")}: ${issue.message}`;
}

describe("receivers of remote-write", () => {
  it("need nothing but a URL, by whose host they are called", () => {
    expect(remoteWrite.parse(undefined)).toEqual([]);
    expect(remoteWrite.parse([{ url: URL }])).toMatchObject([
      {
        ...{ name: "mimir.example.com-9009", url: URL, protocol: "auto", remoteTimeout: 30_000 },
        ...{ headers: {}, writeRelabelConfigs: [], sendExemplars: false, sendNativeHistograms: false },
        queueConfig: {
          ...{ maxSamplesPerSend: 2_000, batchSendDeadline: 5_000, minBackoff: 30, maxBackoff: 5_000 },
          ...{ sampleAgeLimit: 0, maxBacklog: 1024 ** 3 },
        },
      },
    ]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["a URL with a password", { url: "https://a:b@c" }, "0.url: expected an http:// or https:// URL"],
    ["another protocol", { protocol: 3 }, "0.protocol: expected auto, 1 or 2"],
    [
      "a pause that begins beyond its end",
      { queueConfig: { minBackoff: "6s" } },
      "0.queueConfig.maxBackoff: expected at least minBackoff",
    ],
    ["an action that there is not", { writeRelabelConfigs: [{ action: "paint" }] }, "action"],
  ])("cannot have %s", (_, more, fault) => {
    expect(faultOf([{ url: URL, ...more }])).toContain(fault);
  });

  it("have names of their own", () => {
    expect(faultOf([{ url: URL }, { url: URL }])).toBe(
      "1.name: expected another name: mimir.example.com-9009 is taken",
    );
    expect(faultOf([{ url: URL }, { url: URL, name: "second" }])).toBe(undefined);
  });
});
