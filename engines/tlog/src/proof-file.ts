import { decodeBase64, encodeBase64 } from "./base64.ts";
import { openCheckpoint, parseDecimal, type LogTrust, type SignedCheckpoint } from "./checkpoint.ts";
import { hashLeaf, isHash, type Hash } from "./hash.ts";
import { LogError } from "./log-error.ts";
import { createLogReader } from "./log-reader.ts";
import type { LogSource } from "./log-store.ts";
import { verifyInclusion } from "./verify-proof.ts";

/** What a `.tlog-proof` file says (https://c2sp.org/tlog-proof). */
export interface ProofFile {
  index: number;
  hashes: readonly Hash[];
  /** The signed note. */
  checkpoint: string;
  /** Anything that the application adds; nobody has signed it. */
  extra?: Uint8Array;
}

const HEADER = "c2sp.org/tlog-proof@v1";

/** The text of the file. */
export function formatProof({ index, hashes, checkpoint, extra }: ProofFile): string {
  const head = extra === undefined ? [HEADER] : [HEADER, `extra ${encodeBase64(extra)}`];
  return [...head, `index ${index}`, ...hashes.map(encodeBase64), "", checkpoint].join("\n");
}

/** Reads the text of the file; nothing of it is verified. */
export function parseProof(text: string): ProofFile {
  const end = text.indexOf("\n\n");
  if (end === -1) throw malformed("expected an empty line before the checkpoint");
  const [header, ...lines] = text.slice(0, end).split("\n");
  if (header !== HEADER) throw malformed(`expected ${HEADER} in its first line`);
  const extra = lines[0]?.startsWith("extra ") ? readBase64(lines.shift(), "extra ") : null;
  const line = lines.shift() ?? "";
  const index = line.startsWith("index ") ? parseDecimal(line.slice("index ".length)) : null;
  if (index === null) throw malformed("expected a line with the index of the entry");
  const hashes = lines.map((each) => readBase64(each, ""));
  if (!hashes.every(isHash)) throw malformed("a hash does not have 32 bytes");
  return { index, hashes, checkpoint: text.slice(end + 2), ...(extra === null ? {} : { extra }) };
}

/** The checkpoint that covers the entry, if the proof holds; throws otherwise. */
export function verifyProof(text: string, entry: Uint8Array, trust: LogTrust): SignedCheckpoint {
  const { index, hashes, checkpoint } = parseProof(text);
  const signed = openCheckpoint(checkpoint, trust);
  checkInclusion({ index, hashes }, signed, hashLeaf(entry));
  return signed;
}

/** The proof file of an entry, which is verified before it is handed out. */
export async function proveEntry(
  source: LogSource,
  checkpoint: SignedCheckpoint,
  index: number,
): Promise<string> {
  const reader = createLogReader(source, checkpoint.size);
  const hashes = await reader.proveInclusion(index);
  checkInclusion({ index, hashes }, checkpoint, hashLeaf(await reader.entryAt(index)));
  return formatProof({ index, hashes, checkpoint: checkpoint.note });
}

function checkInclusion(
  { index, hashes }: Pick<ProofFile, "index" | "hashes">,
  { size, root }: SignedCheckpoint,
  leafHash: Hash,
): void {
  if (verifyInclusion({ index, size, leafHash, root, proof: hashes })) return;
  throw new LogError("altered", `the entry is not entry ${index} of the log of ${size} that was signed`);
}

function readBase64(line = "", prefix: string): Uint8Array {
  const bytes = decodeBase64(line.slice(prefix.length));
  if (bytes === null) throw malformed("a line is not base64");
  return bytes;
}

function malformed(why: string): LogError {
  return new LogError("malformed", `the proof cannot be read: ${why}`);
}
