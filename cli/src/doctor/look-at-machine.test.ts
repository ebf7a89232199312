import { describe, expect, it } from "vitest";
import { judgeClock, judgeDisk, judgeMemory, judgeNode } from "./look-at-machine.ts";

const MIB = 1024 ** 2;

describe("the doctor on the machine", () => {
  it("warns of a disk that is nearly full, and calls a full one an error", () => {
    const statuses = [5000, 900, 100].map((free) => judgeDisk("/data", free * MIB).status);
    expect(statuses).toEqual(["ok", "warning", "error"]);
    expect(judgeDisk("/data", 900 * MIB)).toMatchObject({ facts: "900 MiB free for /data" });
    expect(judgeDisk("/data", null)).toMatchObject({ status: "error", facts: "/data is not there" });
  });

  it("says how to mend what is not well, and nothing where nothing is to be mended", () => {
    expect(judgeMemory("MemAvailable:  102400 kB\n")).toMatchObject({
      status: "warning",
      facts: "100 MiB available",
      remedy: expect.stringContaining("Scale a service down"),
    });
    expect(judgeMemory("MemAvailable:  1024000 kB\n").remedy).toBe(null);
  });

  it("knows the oldest Node that does", () => {
    const statuses = ["22.20.0", "24.18.9", "24.19.0", "25.0.0"].map((version) => judgeNode(version).status);
    expect(statuses).toEqual(["error", "error", "ok", "ok"]);
  });

  it("leaves the clock out where the machine does not tell", () => {
    expect(judgeClock("")).toEqual([]);
    expect(judgeClock("yes\n")[0]?.status).toBe("ok");
    expect(judgeClock("no\n")[0]).toMatchObject({ status: "warning", remedy: "timedatectl set-ntp true" });
  });
});
