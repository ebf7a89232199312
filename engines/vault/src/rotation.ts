import { buffer } from "node:stream/consumers";
import type { ByteStream } from "./byte-reader.ts";
import type { Context } from "./context.ts";
import { parseHeader, rewrap, type Sealing } from "./header.ts";
import type { Keyring } from "./keyring.ts";
import type { Random } from "./random.ts";
import { open, seal } from "./seal.ts";
import { openStream, sealStream } from "./stream.ts";
import { VaultError } from "./vault-error.ts";

/** A sealed object in a store, with its first HEADER_BYTES or more. */
export interface HeldObject {
  id: string;
  context: Context;
  head: Uint8Array;
}

export interface ObjectStore {
  /** The objects behind that id in a fixed order of ids, from the first one for null; none at the end. */
  next(after: string | null, limit: number): Promise<readonly HeldObject[]>;
  /** The object as it is at this moment, null when there is none. */
  read(id: string): Promise<HeldObject | null>;
}

/** Replacing is whole or not at all, lasting once it is answered, and false when `was` is no longer there. */
export interface RewrapStore extends ObjectStore {
  replaceHead(was: HeldObject, head: Buffer): Promise<boolean>;
}

export interface ReencryptStore extends ObjectStore {
  content(object: HeldObject): ByteStream;
  /** Errors of the new content go through to the caller, and leave what was. */
  replaceContent(was: HeldObject, sealed: ByteStream): Promise<boolean>;
}

export interface RotationSettings {
  keyring: Keyring;
  random: Random;
  /** Cursor of the last progress that was kept; null to begin. */
  after: string | null;
}

/**
 * `contended`: others wrote faster than the rotation, `unreadable`: it cannot
 * be opened. Both are left as they are; the next pass meets them again.
 */
export type RotationOutcome = "done" | "already" | "gone" | "contended" | "unreadable";

export interface RotationProgress {
  /** Id of the object that was just settled: everything up to it need not be looked at again. */
  cursor: string;
  outcome: RotationOutcome;
  /** Why it is unreadable. */
  fault: VaultError | null;
  /** Objects by outcome since this pass, or what is left of it, began. */
  counts: Readonly<Record<RotationOutcome, number>>;
}

const PAGE_OBJECTS = 100;
/** How often an object is taken up again that somebody else wrote meanwhile. */
const MAX_ATTEMPTS = 5;

/**
 * Wraps every data key with the keyring's active key. May be cut off anywhere and begun again at any cursor:
 * what is done is passed over.
 */
export function rewrapAll(
  store: RewrapStore,
  settings: RotationSettings,
): AsyncGenerator<RotationProgress, void> {
  return rotate(store, settings.after, async (object) => {
    if (parseHeader(object.head).keyId === settings.keyring.active.id) return "already";
    const isReplaced = await store.replaceHead(object, rewrap(sealingOf(settings, object), object.head));
    return isReplaced ? "done" : null;
  });
}

/**
 * Seals every object of an earlier generation under a new data key, wrapped with the active key; likewise.
 */
export function reencryptAll(
  store: ReencryptStore,
  settings: RotationSettings,
): AsyncGenerator<RotationProgress, void> {
  return rotate(store, settings.after, async (object) => {
    if (parseHeader(object.head).generation >= settings.keyring.generation) return "already";
    const sealed = reencrypt(sealingOf(settings, object), object.head, store.content(object));
    return (await store.replaceContent(object, sealed)) ? "done" : null;
  });
}

/** The same plaintext under a new data key; a stream stays a stream. */
async function* reencrypt(
  sealing: Sealing,
  head: Uint8Array,
  sealed: ByteStream,
): AsyncGenerator<Buffer, void> {
  if (parseHeader(head).algorithm === "chunked") yield* sealStream(sealing, openStream(sealing, sealed));
  else yield seal(sealing, open(sealing, await buffer(sealed)));
}

/** What one object comes to; null when it was replaced by others in between. */
type Turn = (object: HeldObject) => Promise<"done" | "already" | null>;

async function* rotate(
  store: ObjectStore,
  after: string | null,
  turn: Turn,
): AsyncGenerator<RotationProgress, void> {
  const counts = { done: 0, already: 0, gone: 0, contended: 0, unreadable: 0 };
  let cursor = after;
  for (;;) {
    const page = await store.next(cursor, PAGE_OBJECTS);
    if (page.length === 0) return;
    for (const object of page) {
      const settled = await settle(store, object, turn);
      cursor = object.id;
      counts[settled.outcome] += 1;
      yield { cursor, ...settled, counts: { ...counts } };
    }
  }
}

type Settled = Pick<RotationProgress, "outcome" | "fault">;

async function settle(store: ObjectStore, object: HeldObject, turn: Turn): Promise<Settled> {
  let current = object;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const result = await attemptTurn(current, turn);
    if (typeof result === "string") return { outcome: result, fault: null };
    const now = await store.read(object.id);
    if (now === null) return { outcome: "gone", fault: null };
    // What was replaced while it was read looks damaged too: only what stayed the same is.
    if (result !== null && Buffer.compare(now.head, current.head) === 0) {
      return { outcome: "unreadable", fault: result };
    }
    current = now;
  }
  return { outcome: "contended", fault: null };
}

async function attemptTurn(object: HeldObject, turn: Turn) {
  try {
    return await turn(object);
  } catch (error) {
    if (error instanceof VaultError) return error;
    throw error;
  }
}

function sealingOf({ keyring, random }: RotationSettings, { context }: HeldObject): Sealing {
  return { keyring, random, context };
}

export interface VaultStatus {
  objects: number;
  /** Objects by the id of the key that wraps them: a key that is not listed may go. */
  byKey: Record<string, number>;
  byGeneration: Record<number, number>;
  /** Ids of objects without a header that can be read. */
  malformed: string[];
}

/** Counts what is in a store, without opening anything. */
export async function statusOf(store: Pick<ObjectStore, "next">): Promise<VaultStatus> {
  const status: VaultStatus = { objects: 0, byKey: {}, byGeneration: {}, malformed: [] };
  let cursor: string | null = null;
  for (;;) {
    const page: readonly HeldObject[] = await store.next(cursor, PAGE_OBJECTS);
    for (const object of page) count(status, object);
    cursor = page.at(-1)?.id ?? null;
    if (cursor === null) return status;
  }
}

function count(status: VaultStatus, { id, head }: HeldObject): void {
  status.objects += 1;
  try {
    const { keyId, generation } = parseHeader(head);
    status.byKey[keyId] = (status.byKey[keyId] ?? 0) + 1;
    status.byGeneration[generation] = (status.byGeneration[generation] ?? 0) + 1;
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    status.malformed.push(id);
  }
}
