import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { leavingSocket, listLeaving, untilReplaced } from "./successor.ts";

const LONG_MS = 60_000;
let directory = "";
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "successor-"))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("a worker whose parent is gone", () => {
  it("waits until another socket stands in the place of its own", async () => {
    const path = join(directory, "proxy-0.sock");
    writeFileSync(path, "");
    let isOver = false;
    const replaced = untilReplaced(path, LONG_MS).finally(() => (isOver = true));
    writeFileSync(join(directory, "proxy-1.sock"), "");
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    writeFileSync(`${path}.7`, "");
    renameSync(`${path}.7`, path);
    expect(await replaced).toBe(true);
  });

  it("goes on waiting while its own is only taken away, and no longer than it was told", async () => {
    const path = join(directory, "proxy-0.sock");
    writeFileSync(path, "");
    const replaced = untilReplaced(path, 50);
    rmSync(path);
    expect(await replaced).toBe(false);
  });
});

it("finds the control sockets of those that leave, and nothing else", () => {
  for (const name of ["proxy-0.sock", "proxy-0.sock.7", "proxy-0-7.ledger", leavingSocket(1, 7)])
    writeFileSync(join(directory, name), "");
  expect(listLeaving(directory)).toEqual([{ name: "proxy-1-7.sock", slot: 1 }]);
});
