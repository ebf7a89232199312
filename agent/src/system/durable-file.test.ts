import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSavedFile, readText } from "./durable-file.ts";

describe("a saved file", () => {
  let directory: string;
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "saved-"))));
  afterEach(() => rmSync(directory, { recursive: true }));

  it("holds the newest content when saves overtake each other", async () => {
    const path = join(directory, "state.json");
    const file = createSavedFile(path);
    await Promise.all([file.save("one"), file.save("two"), file.save("three")]);
    expect(readFileSync(path, "utf8")).toBe("three");
    expect(readdirSync(directory)).toEqual(["state.json"]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("can be saved again after a save has failed", async () => {
    const path = join(directory, "later", "state.json");
    const file = createSavedFile(path);
    await expect(file.save("one")).rejects.toThrow("ENOENT");
    await expect(file.save("two")).rejects.toThrow("ENOENT");
    expect(await readText(path)).toBeNull();
  });
});
