import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openJournal } from "./journal.ts";

const ENTRY = {
  act: "lease-expired",
  service: "shop",
  environment: "production",
  change: "chg_1",
  detail: { weight: 1 },
} as const;

describe("the journal", () => {
  let path: string;
  beforeEach(() => void (path = join(mkdtempSync(join(tmpdir(), "journal-")), "journal.jsonl")));
  afterEach(() => rmSync(join(path, ".."), { recursive: true }));
  const open = () => openJournal(path, () => new Date(0));

  it("numbers its entries on and on, also after a restart", async () => {
    const first = await open();
    expect(await first.append(ENTRY)).toEqual({ seq: 1, at: "1970-01-01T00:00:00.000Z", ...ENTRY });
    const second = await open();
    await second.append(ENTRY);
    expect(second.after(0).map((each) => each.seq)).toEqual([1, 2]);
    expect(second.after(1).map((each) => each.seq)).toEqual([2]);
  });

  it("drops a line that a crash left unfinished, and goes on after the last whole one", async () => {
    await (await open()).append(ENTRY);
    appendFileSync(path, '{"seq":2,"at":"19');
    const journal = await open();
    await journal.append(ENTRY);
    const lines = readFileSync(path, "utf8").trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual([1, 2]);
  });
});
