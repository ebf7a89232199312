export {
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  type Checkpoint,
  type LogTrust,
  type SignedCheckpoint,
} from "./checkpoint.ts";
export { MAX_ENTRY_BYTES } from "./entry-bundle.ts";
export { hashLeaf, type Hash } from "./hash.ts";
export { LogError, type LogFault } from "./log-error.ts";
export { createLogReader, type LogReader } from "./log-reader.ts";
export type { LogSource, LogStore } from "./log-store.ts";
export { createLogWriter, MAX_BATCH_ENTRIES, type Batch, type LogWriter } from "./log-writer.ts";
export { addSignature, openNote, signNote, type NoteSignature, type OpenedNote } from "./note.ts";
export {
  cosignatureTime,
  createCosigner,
  createNoteKey,
  createSigner,
  createVerifier,
  type NoteKey,
  type NoteSigner,
  type NoteVerifier,
} from "./note-key.ts";
export { formatProof, parseProof, proveEntry, verifyProof, type ProofFile } from "./proof-file.ts";
export type { Range } from "./proof-ranges.ts";
export { checkExtension, type ExtensionClaim } from "./retained.ts";
export { CHECKPOINT_PATH, isLogPath } from "./tiles.ts";
export { verifyLog, type LogFinding, type LogQuestion, type LogReport } from "./verify-log.ts";
export {
  verifyConsistency,
  verifyInclusion,
  type ConsistencyClaim,
  type InclusionClaim,
} from "./verify-proof.ts";
export {
  verifySubtreeConsistency,
  verifySubtreeInclusion,
  type SubtreeConsistencyClaim,
  type SubtreeInclusionClaim,
} from "./verify-subtree-proof.ts";
