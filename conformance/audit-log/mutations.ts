import type { AuditLine, AuditLogResource } from "@mainstay/api";
import { leafOf } from "@mainstay/server";
import {
  createLogWriter,
  createSigner,
  createVerifier,
  LogError,
  verifyProof,
  type LogStore,
} from "@mainstay/tlog";
import { verifyAudit } from "../../cli/src/audit/verify-audit.ts";
import type { RealLog } from "./real-log.ts";

/** The log and the database as somebody left them. */
export interface Altered {
  files: Map<string, Uint8Array>;
  lines: AuditLine[];
  /** Whether the verifier has the checkpoints that were kept elsewhere. */
  isKept: boolean;
}

export interface Random {
  below(end: number): number;
}

/** Null: there was nothing to alter in that way this time. */
type Mutation = (log: RealLog, random: Random) => Promise<Altered | null> | Altered | null;

/** Mulberry32 (Ettinger 2017): the same in each run. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    below(end) {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
    },
  };
}

/** What the audit of a server comes to: true when nothing is found wrong. */
export async function isBelieved(log: RealLog, altered: Altered): Promise<boolean> {
  const { files, lines, isKept } = altered;
  const status: AuditLogResource = {
    ...{ origin: "", vkey: log.vkey, size: lines.length, signedAt: null, numbered: lines.length },
    ...{ problem: null, problemSince: null, keepers: [], archives: [], witnessVkey: null, witnessed: [] },
  };
  async function* stream<Item>(): AsyncIterable<Item> {
    for (const line of lines) yield line as Item;
  }
  const kept = isKept ? log.kept.map(({ note }) => note) : [];
  const source = createMapStore(files);
  const question = { api: { stream }, source, status, vkey: log.vkey, kept, archives: [] };
  return (await verifyAudit(question)).isWhole;
}

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  "a flipped bit in any file of the log": (log, random) => alterFile(log, random, flipBit),
  "a file of the log that is gone": (log, random) => alterFile(log, random, () => null),
  "a file of the log cut off": (log, random) =>
    alterFile(log, random, (bytes) => bytes.subarray(0, random.below(bytes.length))),
  "bytes added to a file of the log": (log, random) =>
    alterFile(log, random, (bytes) =>
      Buffer.concat([bytes, Buffer.alloc(1 + random.below(40), random.below(256))]),
    ),
  "two files of the log in each other's place": (log, random) => {
    const paths = [...log.files.keys()];
    const [one = "", other = ""] = [paths[random.below(paths.length)], paths[random.below(paths.length)]];
    const [a, b] = [Buffer.from(log.files.get(one) ?? []), Buffer.from(log.files.get(other) ?? [])];
    return a.equals(b) ? null : { ...whole(log), files: new Map(log.files).set(one, b).set(other, a) };
  },
  "another history under the signed checkpoint": async (log, random) => {
    const lines = rewrite(log, random, log.lines.length);
    const files = await signAnew(log, lines);
    return lines && files && { ...whole(log), lines, files: files.set("checkpoint", checkpointOf(log)) };
  },
  "another history, signed with the right key, against a kept checkpoint": async (log, random) => {
    const lines = rewrite(log, random, keptSize(log));
    // What follows upon the kept checkpoint may be written anew without contradicting it.
    if (lines === null || isSameUntil(keptSize(log), log.lines, lines)) return null;
    const files = await signAnew(log, lines);
    return files && { lines, files, isKept: true };
  },
  "a log cut off and signed anew, against a kept checkpoint": async (log, random) => {
    const lines = log.lines.slice(0, 1 + random.below(keptSize(log) - 1));
    const files = await signAnew(log, lines);
    return files && { lines, files, isKept: true };
  },
  "an entry of the database altered in any field": (log, random) => {
    const at = random.below(log.lines.length);
    const line = structuredClone(log.lines[at]);
    return line && alterField(line, random) ? { ...whole(log), lines: log.lines.with(at, line) } : null;
  },
  "an entry of the database removed, repeated or moved": (log, random) => {
    const at = random.below(log.lines.length);
    const line = log.lines[at];
    if (line === undefined) return null;
    const without = log.lines.toSpliced(at, 1);
    return { ...whole(log), lines: random.below(2) === 0 ? without : exchange(log.lines, at, random) };
  },
  "a name or an address in the database replaced": (log, random) => {
    const at = random.below(log.lines.length);
    const line = structuredClone(log.lines[at]);
    const [shown] = Object.values(line?.disclosure.personal ?? {});
    if (line === undefined || shown === undefined) return null;
    shown.value = `${shown.value}${random.below(10)}`;
    return { ...whole(log), lines: log.lines.with(at, line) };
  },
};

/** A proof with a flipped bit, or shown for another entry, is refused. */
export function isProofBelieved(log: RealLog, proof: string, random: Random): boolean {
  const index = Number(/^index ([0-9]+)$/m.exec(proof)?.[1]);
  const line = log.lines[index];
  if (line === undefined) throw new Error(`there is no entry ${index}`);
  const leaf = leafOf(line.disclosure.stored);
  const isText = random.below(2) === 0;
  const text = isText ? flipBit(Buffer.from(proof), random).toString() : proof;
  const key = createVerifier(log.vkey);
  try {
    verifyProof(text, isText ? leaf : flipBit(leaf, random), { origin: key.name, keys: [key] });
    return true;
  } catch (error) {
    if (error instanceof LogError) return false;
    throw error;
  }
}

/** The log as it was after its first entries: thousands of alterations of it take seconds, not minutes. */
export async function beginningOf(log: RealLog, size: number): Promise<RealLog> {
  const lines = log.lines.slice(0, size);
  const kept = log.kept.filter(({ note }) => Number(note.split("\n")[1]) < size);
  return { ...log, lines, kept, files: (await signAnew(log, lines)) ?? log.files };
}

const leaves = new WeakMap<AuditLine, Buffer>();

/** Most lines are those of the log itself, again and again. */
function leafOfLine(line: AuditLine): Buffer {
  const leaf = leaves.get(line) ?? leafOf(line.disclosure.stored);
  leaves.set(line, leaf);
  return leaf;
}

function isSameUntil(end: number, before: readonly AuditLine[], after: readonly AuditLine[]): boolean {
  return before.slice(0, end).every((line, at) => {
    const other = after[at];
    return other !== undefined && leafOfLine(line).equals(leafOfLine(other));
  });
}

export function whole(log: RealLog): Altered {
  return { files: log.files, lines: log.lines, isKept: false };
}

function checkpointOf(log: RealLog): Uint8Array {
  return log.files.get("checkpoint") ?? Buffer.of();
}

function keptSize(log: RealLog): number {
  return Number(log.kept.at(-1)?.note.split("\n")[1]);
}

export function flipBit(bytes: Buffer, random: Random): Buffer {
  const flipped = Buffer.from(bytes);
  const at = random.below(flipped.length);
  flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8));
  return flipped;
}

function alterFile(
  log: RealLog,
  random: Random,
  alter: (bytes: Buffer, random: Random) => Buffer | null,
): Altered {
  const paths = [...log.files.keys()];
  const path = paths[random.below(paths.length)] ?? "checkpoint";
  const bytes = alter(Buffer.from(log.files.get(path) ?? []), random);
  const files = new Map(log.files);
  if (bytes === null) files.delete(path);
  else files.set(path, bytes);
  return { ...whole(log), files };
}

/** What a row could be turned into; answers whether it is another row then. */
function alterField(line: AuditLine, random: Random): boolean {
  const { stored } = line.disclosure;
  const before = leafOf(stored).toString();
  switch (random.below(8)) {
    case 0:
      stored.action = `${stored.action}x`;
      break;
    case 1:
      stored.at = new Date(Date.parse(stored.at) + 1 + random.below(1e9)).toISOString();
      break;
    case 2:
      stored.actor.id = `mk_${random.below(1e6)}`;
      break;
    case 3:
      stored.after = { nothing: random.below(1e6) };
      break;
    case 4:
      stored.before = { everything: random.below(1e6) };
      break;
    case 5:
      stored.reason = `because of ${random.below(1e6)}`;
      break;
    case 6:
      stored.resource.id = `${stored.resource.id}${random.below(10)}`;
      break;
    default:
      stored.personal = { ...stored.personal, "/actor/name": "00".repeat(32) };
  }
  return leafOf(stored).toString() !== before;
}

/** An entry altered, removed, slipped in, or exchanged with another, all numbered again. */
function rewrite(log: RealLog, random: Random, end: number): AuditLine[] | null {
  const lines = [...log.lines];
  const at = random.below(end);
  const line = structuredClone(lines[at]);
  if (line === undefined) return null;
  lines[at] = line;
  const choice = random.below(4);
  if (choice === 0 && !alterField(line, random)) return null;
  if (choice === 1) lines.splice(at, 1);
  if (choice === 2) lines.splice(at, 0, structuredClone(line));
  const ordered = choice === 3 ? exchange(lines, at, random) : lines;
  return ordered.map((each, place) => {
    const { stored } = each.disclosure;
    if (stored.index === place + 1) return each;
    return { ...each, disclosure: { ...each.disclosure, stored: { ...stored, index: place + 1 } } };
  });
}

function exchange(lines: readonly AuditLine[], at: number, random: Random): AuditLine[] {
  const other = (at + 1 + random.below(lines.length - 1)) % lines.length;
  const [a, b] = [lines[at], lines[other]];
  return a && b ? lines.with(at, b).with(other, a) : [...lines];
}

/** The log that these entries make, under a checkpoint that the stolen key signs. */
async function signAnew(
  log: RealLog,
  lines: readonly AuditLine[] | null,
): Promise<Map<string, Uint8Array> | null> {
  if (lines === null) return null;
  const files = new Map<string, Uint8Array>();
  const key = createVerifier(log.vkey);
  const trust = { origin: key.name, keys: [key] };
  const writer = createLogWriter({ store: createMapStore(files), signer: createSigner(log.skey), trust });
  await writer.append({ firstIndex: 0, entries: lines.map(leafOfLine) });
  return files;
}

function createMapStore(files: Map<string, Uint8Array>): LogStore {
  return {
    read: async (path) => files.get(path) ?? null,
    write: async (path, bytes) => void files.set(path, Buffer.from(bytes)),
    async removeFolder(path) {
      for (const each of files.keys()) if (each.startsWith(`${path}/`)) files.delete(each);
    },
  };
}
