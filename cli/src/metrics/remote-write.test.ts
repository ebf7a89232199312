import type { RemoteWriteResource } from "@mainstay/api";
import { expect, it } from "vitest";
import { describeRemoteWrites } from "./remote-write.ts";

const WELL: RemoteWriteResource = {
  ...{ name: "there", url: "http://there/write", state: "sending", protocol: 2, sentSamples: 12 },
  ...{ retriedSamples: 0, failedSamples: {}, droppedSamples: {}, backlogBytes: 0, behindSeconds: 0 },
  ...{ lastSentAt: null, failingSince: null, lastError: null, firstRefusal: null },
};

it("shows where samples are sent on to, and what is wrong with that", () => {
  const away: RemoteWriteResource = {
    ...{ ...WELL, name: "away", state: "failing", protocol: null, backlogBytes: 2048, behindSeconds: null },
    ...{ failedSamples: { 400: 2, 422: 1 }, droppedSamples: { backlog: 7 } },
    ...{ failingSince: "2026-11-01T12:00:00.000Z", lastError: "connect ECONNREFUSED" },
    firstRefusal: { at: "2026-11-01T11:00:00.000Z", status: 400, message: "HTTP 400: late" },
  };
  expect(
    describeRemoteWrites([WELL, away])
      .split("\n")
      .map((line) => line.replaceAll(/ {2,}/g, " | ")),
  ).toEqual([
    "NAME | STATE | VERSION | SENT | FAILED | DROPPED | BACKLOG | BEHIND | URL",
    "there | sending | 2.0 | 12 | 0 | 0 | 0B | 0s | http://there/write",
    "away | failing | – | 12 | 3 | 7 | 2KiB | – | http://there/write",
    "away: failing since 2026-11-01T12:00:00.000Z: connect ECONNREFUSED",
    "away: refused first at 2026-11-01T11:00:00.000Z: HTTP 400: late",
    "away: not sent: 7 (backlog)",
  ]);
  expect(describeRemoteWrites([])).toContain("docs/guides/remote-write.md");
});
