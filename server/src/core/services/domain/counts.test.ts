import { describe, expect, it } from "vitest";
import { formatCounts, parseCounts } from "./counts.ts";

describe("numbers of instances", () => {
  it("are read by process, and written in one order", () => {
    expect(parseCounts("worker=0,web=4")).toEqual({ worker: 0, web: 4 });
    expect(formatCounts({ worker: 0, web: 4 })).toBe("web=4,worker=0");
  });

  it.each(["", "web", "web=", "web=-1", "web=1.5", "web=101", "Web=1", "web=1,", "web = 1"])(
    "are refused when they are %j",
    (text) => {
      expect(() => parseCounts(text)).toThrow(expect.objectContaining({ code: "REQUEST_INVALID" }));
    },
  );
});
