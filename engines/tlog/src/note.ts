import { decodeBase64, encodeBase64 } from "./base64.ts";
import { LogError } from "./log-error.ts";
import { isKeyName, type NoteSigner, type NoteVerifier } from "./note-key.ts";

/** Text, signed by one or more keys (https://c2sp.org/signed-note). */
export interface OpenedNote {
  /** Ends in a newline. */
  text: string;
  /** Those of known keys, all verified, one for each key. */
  signatures: NoteSignature[];
}

export interface NoteSignature {
  name: string;
  id: string;
  bytes: Uint8Array;
}

const MAX_NOTE_BYTES = 1_000_000;
const MAX_SIGNATURES = 100;
const ID_BYTES = 4;
/** Newline is the one character below the space that a note may hold. */
const CONTROL = /[^\n\u0020-\uffff]/;
const SIGNATURE_LINE = /^\u2014 (\S+) (\S+)$/;

/** The signed note, as it is stored and sent. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!text.endsWith("\n") || CONTROL.test(text)) {
    throw malformed("its text must end in a newline and hold no other control character");
  }
  return `${text}\n${signers.map((signer) => signatureLine(text, signer)).join("")}`;
}

/** The same note with one signature more. Whoever signs what others wrote has verified it before. */
export function addSignature(note: string, signer: NoteSigner): string {
  return `${note}${signatureLine(parseNote(note).text, signer)}`;
}

/**
 * The text, if a known key has signed it; throws otherwise, and when a signature of a known key is wrong.
 * Signatures of other keys are passed over.
 */
export function openNote(note: string | Uint8Array, verifiers: readonly NoteVerifier[]): OpenedNote {
  const { text, signatures } = parseNote(note);
  const known = new Map<string, NoteSignature>();
  for (const signature of signatures) {
    const verifier = verifiers.find((each) => each.name === signature.name && each.id === signature.id);
    if (verifier === undefined) continue;
    if (!verifier.verify(text, signature.bytes)) {
      throw new LogError("unsigned", `the signature of ${signature.name}+${signature.id} is wrong`);
    }
    known.set(`${signature.name}+${signature.id}`, signature);
  }
  if (known.size === 0) throw new LogError("unsigned", "no key that is trusted has signed the note");
  return { text, signatures: [...known.values()] };
}

/** Text and signatures, none of them verified. */
function parseNote(note: string | Uint8Array): OpenedNote {
  const whole = typeof note === "string" ? note : decodeText(note);
  if (whole.length > MAX_NOTE_BYTES) throw malformed(`it is longer than ${MAX_NOTE_BYTES} characters`);
  if (CONTROL.test(whole)) throw malformed("it holds control characters");
  const end = whole.lastIndexOf("\n\n") + 1;
  const lines = whole.slice(end + 1).split("\n");
  if (end === 0 || lines.pop() !== "") throw malformed("expected text, an empty line, and signatures");
  if (lines.length > MAX_SIGNATURES) throw malformed(`it has more than ${MAX_SIGNATURES} signatures`);
  return { text: whole.slice(0, end), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): NoteSignature {
  const [, name = "", base64 = ""] = SIGNATURE_LINE.exec(line) ?? [];
  const bytes = decodeBase64(base64);
  if (!isKeyName(name) || bytes === null || bytes.length <= ID_BYTES) {
    throw malformed("a line of its signatures is none");
  }
  return { name, id: bytes.toString("hex", 0, ID_BYTES), bytes: bytes.subarray(ID_BYTES) };
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new LogError("malformed", "the note is not UTF-8", { cause });
  }
}

function signatureLine(text: string, signer: NoteSigner): string {
  const bytes = Buffer.concat([Buffer.from(signer.id, "hex"), signer.sign(text)]);
  return `\u2014 ${signer.name} ${encodeBase64(bytes)}\n`;
}

function malformed(why: string): LogError {
  return new LogError("malformed", `the note cannot be read: ${why}`);
}
