import { openCheckpoint, type Checkpoint, type LogTrust, type SignedCheckpoint } from "./checkpoint.ts";
import { hashLeaf, isSame, type Hash } from "./hash.ts";
import { LogError, type LogFault } from "./log-error.ts";
import { readEntries, readHashes, type LogSource } from "./log-store.ts";
import { checkSizes } from "./retained.ts";
import { createTileBuilder, type BuiltTile } from "./tile-builder.ts";
import { CHECKPOINT_PATH, TILE_WIDTH, tileAt, tilePath } from "./tiles.ts";

/** One thing that is wrong, told so that a person can look at it. */
export interface LogFinding {
  fault: LogFault;
  message: string;
}

export interface LogReport {
  /** Null when there is none that can be trusted; then nothing else was looked at. */
  checkpoint: SignedCheckpoint | null;
  entries: number;
  /** The first of them; a log is whole when there is none. */
  findings: LogFinding[];
  findingsTotal: number;
}

export interface LogQuestion {
  source: LogSource;
  trust: LogTrust;
  /**
   * Checkpoints that were kept elsewhere, verified when they were: without any, a new history may look whole.
   */
  retained?: readonly Checkpoint[];
}

const MAX_FINDINGS = 100;

/**
 * Checks a whole log: its signature, every entry against its hash, every tile against those below, the root,
 * and that it begins with everything that was ever kept of it.
 */
export async function verifyLog({ source, trust, retained = [] }: LogQuestion): Promise<LogReport> {
  const report: LogReport = { checkpoint: null, entries: 0, findings: [], findingsTotal: 0 };
  const add = createCollector(report);
  const note = await source.read(CHECKPOINT_PATH);
  if (note === null) add(new LogError("missing", "there is no checkpoint"));
  else report.checkpoint = attempt(() => openCheckpoint(note, trust), add);
  const { checkpoint } = report;
  if (checkpoint === null) return report;
  for (const each of retained) attempt(() => checkSizes(each, checkpoint), add);
  await rebuild({ source, checkpoint, retained, report, add });
  return report;
}

type Collector = (error: LogError) => void;

function createCollector(report: LogReport): Collector {
  return ({ fault, message }) => {
    report.findingsTotal += 1;
    if (report.findings.length < MAX_FINDINGS) report.findings.push({ fault, message });
  };
}

function attempt<T>(act: () => T, add: Collector): T | null {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    add(error);
    return null;
  }
}

async function attemptTo<T>(act: Promise<T>, add: Collector): Promise<T | null> {
  try {
    return await act;
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    add(error);
    return null;
  }
}

interface Rebuilding {
  source: LogSource;
  checkpoint: SignedCheckpoint;
  retained: readonly Checkpoint[];
  report: LogReport;
  add: Collector;
}

/** Builds all tiles again from what the log holds and compares them with what it shows. */
async function rebuild(work: Rebuilding): Promise<void> {
  const { source, checkpoint, retained, report, add } = work;
  const builder = createTileBuilder();
  const compareRoots = () => {
    for (const each of [checkpoint, ...retained]) {
      if (each.size === builder.size() && !isSame(each.root, builder.root()))
        add(otherRoot(each, checkpoint));
    }
  };
  compareRoots();
  const sizes = new Set([checkpoint, ...retained].map((each) => each.size));
  for (let start = 0; start < checkpoint.size; start += TILE_WIDTH) {
    const hashes = await readLeaves(work, start);
    if (hashes === null) return;
    const filled: BuiltTile[] = [];
    for (const hash of hashes) {
      filled.push(...builder.append(hash));
      if (sizes.has(builder.size())) compareRoots();
    }
    report.entries = builder.size();
    for (const built of filled) await compareTile(source, built, add);
  }
  for (const built of builder.partials()) await compareTile(source, built, add);
}

/** Leaf hashes of one tile; the entries stand in for a tile that cannot be read. */
async function readLeaves({ source, checkpoint, add }: Rebuilding, start: number): Promise<Hash[] | null> {
  const [tile, bundle] = [tileAt(0, start, checkpoint.size), tileAt("entries", start, checkpoint.size)];
  const hashes = await attemptTo(readHashes(source, tile), add);
  const entries = await attemptTo(readEntries(source, bundle), add);
  const leaves = entries?.map(hashLeaf) ?? null;
  for (const [at, leaf] of (hashes === null ? [] : (leaves ?? [])).entries()) {
    if (isSame(leaf, hashes?.[at] ?? leaf)) continue;
    const message = `entry ${start + at} in ${tilePath(bundle)} is not the one of ${tilePath(tile)}`;
    add(new LogError("altered", message));
  }
  return hashes ?? leaves;
}

/** The lowest level was compared with the entries. */
async function compareTile(source: LogSource, { tile, hashes }: BuiltTile, add: Collector): Promise<void> {
  if (tile.level === 0) return;
  const shown = await attemptTo(readHashes(source, tile), add);
  if (shown === null || hashes.every((hash, at) => isSame(hash, shown[at] ?? hash))) return;
  add(new LogError("altered", `${tilePath(tile)} is not made of the tiles below it`));
}

function otherRoot(expected: Checkpoint, checkpoint: Checkpoint): LogError {
  if (expected === checkpoint) {
    return new LogError("altered", `the tiles are not those that were signed at ${expected.size} entries`);
  }
  const message = `the first ${expected.size} entries are not those of the checkpoint that was kept`;
  return new LogError("forked", message);
}
