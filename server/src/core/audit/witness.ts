import {
  addSignature,
  checkExtension,
  createCosigner,
  createVerifier,
  LogError,
  openCheckpoint,
  type SignedCheckpoint,
} from "@mainstay/tlog";
import type { Clock } from "../../kernel/clock.ts";
import type { Database } from "../../kernel/database/index.ts";
import type { KeepersStore } from "./keepers-store.ts";
import type { KeyFile } from "./log-key.ts";

export interface WitnessDependencies {
  db: Database;
  store: KeepersStore;
  clock: Clock;
  key: KeyFile;
  /** The name of this witness. */
  name: string;
  /** Keys of the logs that it watches. */
  logs: readonly string[];
}

/** What a witness answers, as https://c2sp.org/tlog-witness says. */
export interface WitnessAnswer {
  status: 200 | 400 | 403 | 404 | 409 | 422;
  contentType: string;
  body: string;
}

export interface Witness {
  /** Keeps the checkpoint and cosigns it, or refuses it. */
  addCheckpoint(request: string): Promise<WitnessAnswer>;
  /** The key that cosignatures are verified with; null for a witness of nobody. */
  vkey(): Promise<string | null>;
}

const SIZE_TYPE = "text/x.tlog.size";
const PROOF_MAX = 63;

/** Watches logs of others: each has to go on from what was seen of it before. */
export function createWitness({ db, store, clock, key, name, logs }: WitnessDependencies): Witness {
  const verifiers = logs.map(createVerifier);

  async function secret() {
    return (await key.read()) ?? (await key.make(name, "cosignature/v1"));
  }

  async function addCheckpoint(text: string): Promise<WitnessAnswer> {
    const request = readRequest(text);
    if (request === null) return refusal(400, "the request is not one of c2sp.org/tlog-witness");
    const origin = request.note.split("\n")[0] ?? "";
    const keys = verifiers.filter((each) => each.name === origin);
    if (keys.length === 0) return refusal(404, "the log is not one that this witness knows");
    const current = open(request.note, { origin, keys });
    if (current === null) return refusal(403, "the log has not signed the checkpoint");
    if (request.oldSize > current.size) return refusal(400, "the old size is larger than the checkpoint");
    return db.transaction().execute(async (tx): Promise<WitnessAnswer> => {
      const row = await store.lockWitnessed(tx, origin);
      const size = row?.size ?? 0;
      if (size !== request.oldSize) return { status: 409, contentType: SIZE_TYPE, body: `${size}\n` };
      const retained = row === undefined ? null : open(row.note, { origin, keys });
      if (row !== undefined && retained === null) return refusal(403, "the key of the log was replaced");
      if (retained !== null && !isExtended(retained, current, request.proof)) {
        return retained.size === current.size
          ? { status: 409, contentType: SIZE_TYPE, body: `${size}\n` }
          : refusal(422, "the log was not shown to go on from what this witness has seen of it");
      }
      if (retained === null && request.proof.length > 0) return refusal(422, "an empty log proves nothing");
      const { skey } = await secret();
      const signed = addSignature(
        request.note,
        createCosigner(skey, () => clock.now().getTime()),
      );
      await store.witness(tx, { origin, size: current.size, note: request.note, at: clock.now() });
      return {
        status: 200,
        contentType: "text/plain; charset=utf-8",
        body: signed.slice(request.note.length),
      };
    });
  }

  return {
    addCheckpoint,
    vkey: async () => (logs.length === 0 ? null : (await secret()).vkey),
  };
}

interface WitnessRequest {
  oldSize: number;
  proof: Buffer[];
  note: string;
}

/** `old <size>`, lines of a consistency proof, an empty line, the checkpoint. */
function readRequest(text: string): WitnessRequest | null {
  const end = text.indexOf("\n\n");
  const [first = "", ...lines] = text.slice(0, Math.max(end, 0)).split("\n");
  const [, size] = /^old (0|[1-9][0-9]{0,15})$/.exec(first) ?? [];
  const proof = lines.map((line) => Buffer.from(line, "base64"));
  const isProof = proof.every((hash, at) => hash.length === 32 && hash.toString("base64") === lines[at]);
  if (size === undefined || lines.length > PROOF_MAX || !isProof) return null;
  return { oldSize: Number(size), proof, note: text.slice(end + 2) };
}

/** The text of such a request. */
export function writeRequest({
  oldSize,
  proof,
  note,
}: {
  oldSize: number;
  proof: readonly Uint8Array[];
  note: string;
}) {
  const lines = proof.map((hash) => Buffer.from(hash).toString("base64"));
  return [`old ${oldSize}`, ...lines, "", note].join("\n");
}

function open(note: string, trust: { origin: string; keys: ReturnType<typeof createVerifier>[] }) {
  return quietly(() => openCheckpoint(note, trust));
}

function isExtended(retained: SignedCheckpoint, current: SignedCheckpoint, proof: Buffer[]): boolean {
  return quietly(() => (checkExtension({ retained, current, proof }), true)) ?? false;
}

function quietly<T>(act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    if (error instanceof LogError) return null;
    throw error;
  }
}

function refusal(status: WitnessAnswer["status"], words: string): WitnessAnswer {
  return { status, contentType: "text/plain; charset=utf-8", body: `${words}\n` };
}
