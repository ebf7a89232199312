import { describe, expect, it } from "vitest";
import { cpuSecondsOf, memoryBytesOf, parseStat } from "./process-tree.ts";

describe("the times of a process", () => {
  it("are read behind a command that may hold anything", () => {
    const text = "4242 (a) b (c) S 17 4242 4242 0 -1 4194560 0 0 0 0 150 50 7 3 20 0 1 0 1 1 1";
    expect(parseStat(text)).toEqual([{ pid: 4242, parent: 17, cpuSeconds: 2.1 }]);
  });

  it("are nothing for a process that is gone", () => {
    expect(parseStat("")).toEqual([]);
  });

  it("can be told of this one", () => {
    expect(cpuSecondsOf(process.pid)).toBeGreaterThan(0);
    expect(memoryBytesOf(process.pid)).toBeGreaterThan(1_000_000);
  });
});
