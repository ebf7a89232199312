import { appendFile, readFile, rename, stat, writeFile } from "node:fs/promises";

/**
 * Logs are written by the processes themselves, without times. Beside each lies a list of how long it was
 * when, one "<ms since the epoch> <bytes>" a line, so that what was written since then can be found.
 */
const MARKS_MAX = 10_000;

interface Mark {
  atMs: number;
  sizeBytes: number;
}

/** Notes how long a log is now, if that is news. */
export async function markLog(path: string, nowMs: number): Promise<void> {
  const size = await stat(path).then(
    (stats) => stats.size,
    () => 0,
  );
  const marks = await readMarks(path);
  const last = marks.at(-1)?.sizeBytes ?? 0;
  if (size === last) return;
  // Cut meanwhile: what was noted is about another text.
  if (size < last) return writeMarks(path, [{ atMs: nowMs, sizeBytes: size }]);
  if (marks.length >= MARKS_MAX)
    await writeMarks(
      path,
      marks.filter((_, index) => index % 2 === 1),
    );
  await appendFile(timesOf(path), `${nowMs} ${size}\n`, { mode: 0o640 });
}

/** From which byte on a log was written after a time; a little earlier, never later. */
export async function offsetSince(path: string, sinceMs: number): Promise<number> {
  const before = (await readMarks(path)).findLast((each) => each.atMs <= sinceMs);
  return before?.sizeBytes ?? 0;
}

function timesOf(path: string): string {
  return `${path}.times`;
}

async function readMarks(path: string): Promise<Mark[]> {
  const text = await readFile(timesOf(path), "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    const [atMs, sizeBytes] = line.split(" ").map(Number);
    return atMs && sizeBytes !== undefined ? [{ atMs, sizeBytes }] : [];
  });
}

async function writeMarks(path: string, marks: Mark[]): Promise<void> {
  const draft = `${timesOf(path)}.new`;
  const text = marks.map(({ atMs, sizeBytes }) => `${atMs} ${sizeBytes}\n`).join("");
  await writeFile(draft, text, { mode: 0o640 });
  await rename(draft, timesOf(path));
}
