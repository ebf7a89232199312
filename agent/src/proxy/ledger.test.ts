import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { turn } from "../testing/wait-for.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLedger } from "./ledger.ts";

describe("the ledger", () => {
  let directory: string;
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "ledger-"))));
  afterEach(() => rmSync(directory, { recursive: true }));

  const open = (pid: number, alive: number[] = [], slot = 0) =>
    createLedger({ directory, slot, pid, isAlive: (each) => alive.includes(each) });

  it("tells the successor how many requests a dead worker had in flight, once", async () => {
    const first = open(1);
    first.started();
    first.started();
    first.started();
    first.finished();
    await turn();
    expect(open(2).orphaned).toBe(2);
    expect(open(3).orphaned).toBe(0);
  });

  it("leaves a worker alone that still ends its requests, and those of other slots", async () => {
    const first = open(1);
    first.started();
    await turn();
    expect(open(2, [1]).orphaned).toBe(0);
    expect(open(3, [1], 1).orphaned).toBe(0);
    expect(open(4).orphaned).toBe(1);
  });

  it("counts a predecessor that had the same process id", async () => {
    open(1).started();
    await turn();
    expect(open(1).orphaned).toBe(1);
  });

  it("is gone when its worker has ended everything", async () => {
    const first = open(1);
    first.started();
    first.finished();
    first.close();
    await turn();
    expect(readdirSync(directory)).toEqual([]);
  });

  it("does not stumble over a file that is not complete", () => {
    writeFileSync(join(directory, "proxy-0-9.ledger"), "abc");
    expect(open(1).orphaned).toBe(0);
  });
});
