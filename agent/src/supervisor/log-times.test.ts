import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { markLog, offsetSince } from "./log-times.ts";

describe("the times of a log", () => {
  let directory: string;
  let log: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "times-"));
    log = join(directory, "stdout.log");
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it("say from which byte on it was written after a time", async () => {
    for (const atMs of [1000, 2000, 3000]) {
      appendFileSync(log, "line\n");
      await markLog(log, atMs);
    }
    const offsets = await Promise.all([500, 1000, 2500, 9000].map((sinceMs) => offsetSince(log, sinceMs)));
    expect(offsets).toEqual([0, 5, 10, 15]);
  });

  it("are noted only when something was written, and begin anew when the log was cut", async () => {
    appendFileSync(log, "a long line\n");
    await markLog(log, 1000);
    await markLog(log, 2000);
    expect(readFileSync(`${log}.times`, "utf8")).toBe("1000 12\n");
    truncateSync(log);
    await markLog(log, 3000);
    expect(await offsetSince(log, 1500)).toBe(0);
  });

  it("of a log that was never written are none", async () => {
    await markLog(log, 1000);
    expect(await offsetSince(log, 2000)).toBe(0);
  });
});
