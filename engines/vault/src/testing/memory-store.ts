import { buffer } from "node:stream/consumers";
import type { Context } from "../context.ts";
import { HEADER_BYTES } from "../header.ts";
import type { HeldObject, ReencryptStore, RewrapStore } from "../rotation.ts";

export interface MemoryStore extends RewrapStore, ReencryptStore {
  put(id: string, sealed: Uint8Array): void;
  get(id: string): Buffer;
  remove(id: string): void;
  contextOf(id: string): Context;
  ids(): string[];
}

/**
 * Everything in memory; `onCall` hears of every call before and after it takes effect, and may throw there.
 */
export function createMemoryStore(onCall: (what: string) => void = () => {}): MemoryStore {
  const objects = new Map<string, Buffer>();
  const contextOf = (id: string): Context => ["config", "value", id];
  const ids = () => [...objects.keys()].toSorted();
  const held = (id: string): HeldObject => ({ id, context: contextOf(id), head: headOf(get(id)) });
  const get = (id: string) => objects.get(id) ?? Buffer.alloc(0);
  const isThere = (was: HeldObject) => objects.has(was.id) && headOf(get(was.id)).equals(was.head);
  const replace = (was: HeldObject, make: (now: Buffer) => Buffer) => {
    onCall("before replacing");
    if (!isThere(was)) return false;
    objects.set(was.id, make(get(was.id)));
    onCall("after replacing");
    return true;
  };
  return {
    put: (id, sealed) => void objects.set(id, Buffer.from(sealed)),
    remove: (id) => void objects.delete(id),
    get,
    contextOf,
    ids,
    next: async (after, limit) => {
      onCall("before listing");
      const behind = ids().filter((id) => after === null || id > after);
      return behind.slice(0, limit).map(held);
    },
    read: async (id) => {
      onCall("before reading");
      return objects.has(id) ? held(id) : null;
    },
    replaceHead: async (was, head) => replace(was, (now) => Buffer.concat([head, now.subarray(head.length)])),
    content: async function* (object) {
      onCall("before reading content");
      yield get(object.id);
    },
    replaceContent: async (was, sealed) => {
      const content = await buffer(sealed);
      return replace(was, () => content);
    },
  };
}

function headOf(sealed: Buffer): Buffer {
  return sealed.subarray(0, HEADER_BYTES);
}
