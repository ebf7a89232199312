import { decodeBase64, encodeBase64 } from "./base64.ts";
import { isHash, type Hash } from "./hash.ts";
import { LogError } from "./log-error.ts";
import { openNote } from "./note.ts";
import type { NoteVerifier } from "./note-key.ts";

/** What a log was at one moment (https://c2sp.org/tlog-checkpoint). */
export interface Checkpoint {
  /** Names the log, and no other. */
  origin: string;
  size: number;
  root: Hash;
  /** Further lines, without a meaning to the log. */
  extensions: readonly string[];
}

/** A checkpoint whose signatures were verified, with the note that it came in. */
export interface SignedCheckpoint extends Checkpoint {
  note: string;
}

/** Whom to believe about a log. */
export interface LogTrust {
  origin: string;
  /** Keys of the log: one of them must have signed. More than one while a key is replaced. */
  keys: readonly NoteVerifier[];
  /** Others who watch the log, and how many of them must have signed. */
  witnesses?: readonly NoteVerifier[];
  quorum?: number;
}

const ORIGIN = /^[^\n]+$/;
const DECIMAL = /^(0|[1-9][0-9]*)$/;

/** The text that is signed. */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  return [origin, String(size), encodeBase64(root), ...extensions, ""].join("\n");
}

/** Reads the text of a checkpoint. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = "", size = "", base64 = "", ...rest] = text.split("\n");
  const root = decodeBase64(base64);
  if (rest.pop() !== "" || rest.includes("")) throw malformed("its lines must not be empty");
  if (!ORIGIN.test(origin)) throw malformed("its first line must name the log");
  const count = parseDecimal(size);
  if (count === null) throw malformed("its second line must be the number of entries");
  if (root === null || !isHash(root)) throw malformed("its third line must be 32 bytes in base64");
  return { origin, size: count, root, extensions: rest };
}

/** A whole number without leading zeros, up to 2⁵³ − 1; null for anything else. */
export function parseDecimal(text: string): number | null {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : null;
}

/** The checkpoint in a note, if the log and enough witnesses have signed it; throws otherwise. */
export function openCheckpoint(note: string | Uint8Array, trust: LogTrust): SignedCheckpoint {
  const { keys, witnesses = [], quorum = 0 } = trust;
  const { text, signatures } = openNote(note, [...keys, ...witnesses]);
  const count = (verifiers: readonly NoteVerifier[]) =>
    verifiers.filter((each) => signatures.some(({ name, id }) => each.name === name && each.id === id))
      .length;
  if (count(keys) === 0) throw new LogError("unsigned", "the log itself has not signed the checkpoint");
  if (count(witnesses) < quorum) {
    const message = `${count(witnesses)} of ${quorum} witnesses needed have signed the checkpoint`;
    throw new LogError("unsigned", message);
  }
  const checkpoint = parseCheckpoint(text);
  if (checkpoint.origin !== trust.origin) {
    const message = `the checkpoint is of the log ${checkpoint.origin}, not of ${trust.origin}`;
    throw new LogError("unsigned", message);
  }
  return { ...checkpoint, note: typeof note === "string" ? note : Buffer.from(note).toString("utf8") };
}

function malformed(why: string): LogError {
  return new LogError("malformed", `the checkpoint cannot be read: ${why}`);
}
