import { closeSync, openSync, readFileSync, readdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

const BYTES = 16;

export interface Ledger {
  started(): void;
  finished(): void;
  /** Requests that the dead predecessors of this slot had in flight. */
  orphaned: number;
  /** Removes the file: whatever this worker started is finished. */
  close(): void;
}

interface LedgerOptions {
  directory: string;
  slot: number;
  pid: number;
  isAlive: (pid: number) => boolean;
}

/**
 * Keeps the totals of started and finished requests in a 16-byte file, so that those a kill -9 cuts
 * off are counted by the next worker of the slot. Written at most once per turn of the event loop.
 */
export function createLedger({ directory, slot, pid, isAlive }: LedgerOptions): Ledger {
  const orphaned = settlePredecessors({ directory, slot, pid, isAlive });
  const path = join(directory, `proxy-${slot}-${pid}.ledger`);
  const file = openSync(path, "w", 0o600);
  const totals = new Float64Array(2);
  const bytes = new Uint8Array(totals.buffer);
  let isScheduled = false;
  let isClosed = false;
  write();

  function write(): void {
    isScheduled = false;
    if (!isClosed) writeSync(file, bytes, 0, BYTES, 0);
  }

  function add(index: number): void {
    totals[index] = (totals[index] ?? 0) + 1;
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(write);
  }

  return {
    started: () => add(0),
    finished: () => add(1),
    orphaned,
    close() {
      isClosed = true;
      closeSync(file);
      rmSync(path, { force: true });
    },
  };
}

function settlePredecessors({ directory, slot, pid, isAlive }: LedgerOptions): number {
  const name = new RegExp(`^proxy-${slot}-(\\d+)\\.ledger$`);
  let orphaned = 0;
  for (const entry of readdirSync(directory)) {
    const owner = name.exec(entry)?.[1];
    if (owner === undefined || (owner !== String(pid) && isAlive(Number(owner)))) continue;
    orphaned += readDifference(join(directory, entry));
    rmSync(join(directory, entry), { force: true });
  }
  return orphaned;
}

function readDifference(path: string): number {
  const bytes = readFileSync(path);
  if (bytes.length !== BYTES) return 0;
  const [started = 0, finished = 0] = new Float64Array(new Uint8Array(bytes).buffer);
  return Math.max(0, started - finished);
}
