import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { silentLog } from "../../../tests/support/log.ts";
import { createVirtualClock } from "./clock.ts";
import { reasonOf } from "./reason-of.ts";
import { watchFile } from "./watched-file.ts";

const LOOK_MS = 1_000;

async function watch(first: string | null) {
  const directory = await mkdtemp(path.join(tmpdir(), "watched-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const file = path.join(directory, "settings.yaml");
  if (first !== null) await writeFile(file, first);
  const clock = createVirtualClock(0);
  const applied: string[] = [];
  const watched = watchFile({
    ...{ file, holds: "settings", clock, log: silentLog, lookMs: LOOK_MS, explain: reasonOf },
    async apply(text) {
      if (text.includes("broken")) throw new Error("line 1 makes no sense");
      applied.push(text);
    },
  });
  await watched.start();
  onTestFinished(() => watched.stop());
  const look = async (text?: string) => {
    if (text !== undefined) await writeFile(file, text);
    await clock.advance(LOOK_MS);
    await watched.settled();
  };
  return { watched, applied, look };
}

it("takes in what is there at first, and a change once two looks agree", async () => {
  const { applied, look } = await watch("a");
  expect(applied).toEqual(["a"]);
  await look("half of");
  await look("half of b");
  expect(applied).toEqual(["a"]);
  await look();
  await look();
  expect(applied).toEqual(["a", "half of b"]);
});

it("leaves in force what was when a file is broken or gone, and says why", async () => {
  const { watched, applied, look } = await watch("a");
  await look("broken");
  await look();
  expect([watched.problem(), watched.text()]).toEqual(["line 1 makes no sense", "a"]);
  await look("a");
  await look();
  expect([watched.problem(), applied]).toEqual([null, ["a"]]);
});

it("goes on looking for a file that is not there yet", async () => {
  const { watched, applied, look } = await watch(null);
  expect(watched.problem()).toContain("ENOENT");
  await look("a");
  expect([watched.problem(), applied]).toEqual([null, ["a"]]);
});
