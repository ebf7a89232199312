import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../../server/src/kernel/clock.ts";
import { ownAfterWrite, type Owners } from "./apply.ts";
import type { KubernetesObject } from "./objects.ts";

interface Entry {
  object: KubernetesObject;
  owners: Owners;
}

export interface WatchEvent {
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: KubernetesObject;
}

/** Where an object lies: "deployments/default/shop". */
export type Key = `${string}/${string}/${string}`;

/** What etcd and the bookkeeping of the API server are to a cluster: objects with their versions. */
export function createObjectStore(clock: Clock) {
  const entries = new Map<Key, Entry>();
  const listeners = new Set<(key: Key, event: WatchEvent) => void>();
  let version = 0;

  function tell(key: Key, type: WatchEvent["type"], object: KubernetesObject): void {
    for (const listener of listeners) listener(key, { type, object });
  }

  function keep(key: Key, object: KubernetesObject, owners: Owners): KubernetesObject {
    const isNew = !entries.has(key);
    version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(version) };
    const stored = { ...object, metadata };
    entries.set(key, { object: stored, owners });
    tell(key, isNew ? "ADDED" : "MODIFIED", stored);
    return stored;
  }

  return {
    get: (key: Key) => entries.get(key)?.object,
    owners: (key: Key): Owners => entries.get(key)?.owners ?? new Map(),
    list: (prefix: string) =>
      [...entries].filter(([key]) => key.startsWith(prefix)).map(([, { object }]) => object),
    version: () => String(version),
    /** Writes what a client may write: all but the status. What alters nothing makes no new version. */
    write(
      key: Key,
      wanted: KubernetesObject,
      by: { manager: string } | { owners: Owners },
    ): KubernetesObject {
      const before = entries.get(key);
      const kept = before?.object.metadata;
      const generation = kept?.generation ?? 0;
      const isSameSpec = isDeepStrictEqual(before?.object.spec, wanted.spec);
      const metadata = {
        ...wanted.metadata,
        uid: kept?.uid ?? `uid-${version + 1}`,
        generation: isSameSpec ? generation : generation + 1,
        resourceVersion: kept?.resourceVersion,
        ...(kept?.deletionTimestamp === undefined ? {} : { deletionTimestamp: kept.deletionTimestamp }),
      };
      const { status: _theirs, ...rest } = wanted;
      const status = before?.object.status;
      const object = { ...rest, metadata, ...(status === undefined ? {} : { status }) };
      const owners =
        "owners" in by
          ? by.owners
          : ownAfterWrite(before?.owners ?? new Map(), {
              before: ownable(before?.object),
              after: ownable(object),
              manager: by.manager,
            });
      const isSame = before !== undefined && isDeepStrictEqual(before.object, object);
      if (isSame) {
        entries.set(key, { object: before.object, owners });
        return before.object;
      }
      return keep(key, object, owners);
    },
    /** For controllers: the status alone. */
    writeStatus(key: Key, status: Record<string, unknown>): void {
      const entry = entries.get(key);
      if (!entry || isDeepStrictEqual(entry.object.status, status)) return;
      keep(key, { ...entry.object, status }, entry.owners);
    },
    /** Foreground deletion: it stays, marked, until its pods are gone and a controller removes it. */
    markDeleted(key: Key): void {
      const entry = entries.get(key);
      if (!entry || entry.object.metadata.deletionTimestamp !== undefined) return;
      const metadata = { ...entry.object.metadata, deletionTimestamp: clock.now().toISOString() };
      keep(key, { ...entry.object, metadata }, entry.owners);
    },
    remove(key: Key): void {
      const entry = entries.get(key);
      if (!entry) return;
      entries.delete(key);
      version += 1;
      tell(key, "DELETED", entry.object);
    },
    onEvent(listener: (key: Key, event: WatchEvent) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
export type ObjectStore = ReturnType<typeof createObjectStore>;

/** What managers own: not the names and numbers that the server itself keeps. */
export function ownable(object: KubernetesObject | undefined): Record<string, unknown> {
  if (!object) return {};
  const { labels, annotations } = object.metadata;
  return { metadata: { labels: labels ?? {}, annotations: annotations ?? {} }, spec: object.spec ?? {} };
}
