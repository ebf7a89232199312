import { describe, expect, it } from "vitest";
import { CHUNK_BYTES } from "./chunked.ts";
import { HEADER_BYTES } from "./header.ts";
import { createKey, type Key } from "./key.ts";
import { createKeyring, type Keyring } from "./keyring.ts";
import {
  reencryptAll,
  rewrapAll,
  statusOf,
  type RotationProgress,
  type RotationSettings,
} from "./rotation.ts";
import { open, seal } from "./seal.ts";
import { openStream, sealStream } from "./stream.ts";
import { createMemoryStore, type MemoryStore } from "./testing/memory-store.ts";
import { createSeededRandom } from "./testing/seeded-random.ts";
import { collect, inPieces } from "./testing/streams.ts";

const random = createSeededRandom("rotation");
const [oldKey, newKey] = [createKey(random), createKey(random)];
const before = createKeyring({ keys: [oldKey], activeId: oldKey.id });
const during = createKeyring({ keys: [oldKey, newKey], activeId: newKey.id, generation: 1 });
const afterwards = createKeyring({ keys: [newKey], activeId: newKey.id, generation: 1 });
const rounds = { rewrapAll, reencryptAll } as const;
const both = ["rewrapAll", "reencryptAll"] as const;

const valueOf = (id: string) => `value of ${id}`;
const sealValue = (store: MemoryStore, keyring: Keyring, id: string) =>
  seal({ keyring, random, context: store.contextOf(id) }, Buffer.from(valueOf(id)));

/** Eight values in one piece and two streams, all under the old key. */
async function fill(store: MemoryStore): Promise<void> {
  for (const id of ["a", "b", "c", "d", "e", "f", "g", "h"]) store.put(id, sealValue(store, before, id));
  for (const id of ["s", "t"]) {
    const sealing = { keyring: before, random, context: store.contextOf(id) };
    store.put(id, await collect(sealStream(sealing, inPieces(plainOf(id), [9_000]))));
  }
}

function plainOf(id: string): Buffer {
  return Buffer.concat([Buffer.alloc(CHUNK_BYTES), Buffer.from(valueOf(id))]);
}

/** Every object opens, with these keys, to what it was. */
async function expectReadable(store: MemoryStore, keyring: Keyring): Promise<void> {
  for (const id of store.ids()) {
    const opening = { keyring, context: store.contextOf(id) };
    const isStream = id === "s" || id === "t";
    const plain = isStream
      ? await collect(openStream(opening, inPieces(store.get(id), [9_000])))
      : open(opening, store.get(id));
    expect(plain.equals(isStream ? plainOf(id) : Buffer.from(valueOf(id))), id).toBe(true);
  }
}

async function finish(rotation: AsyncIterable<RotationProgress>): Promise<RotationProgress> {
  let last: RotationProgress | null = null;
  for await (const progress of rotation) last = progress;
  if (last === null) throw new Error("Nothing was rotated.");
  return last;
}

/** The rest of a pass, in which everything can be opened. */
async function drain(rotation: AsyncIterable<RotationProgress>): Promise<void> {
  for await (const { fault } of rotation) expect(fault).toBeNull();
}

const settings: RotationSettings = { keyring: during, random, after: null };

describe.each(both)("%s", (name) => {
  const rotateAll = rounds[name];

  it("leaves nothing under the old key, and everything readable without it", async () => {
    const store = createMemoryStore();
    await fill(store);
    const last = await finish(rotateAll(store, settings));
    expect(last).toMatchObject({ cursor: "t", counts: { done: 10, already: 0, unreadable: 0 } });
    expect((await statusOf(store)).byKey).toEqual({ [newKey.id]: 10 });
    await expectReadable(store, afterwards);
  });

  it("does nothing twice", async () => {
    const store = createMemoryStore();
    await fill(store);
    await finish(rotateAll(store, settings));
    const bytes = store.ids().map((id) => store.get(id));
    expect(await finish(rotateAll(store, settings))).toMatchObject({ counts: { done: 0, already: 10 } });
    expect(store.ids().map((id) => store.get(id))).toEqual(bytes);
  });

  it("goes on behind its cursor", async () => {
    const store = createMemoryStore();
    await fill(store);
    const last = await finish(rotateAll(store, { ...settings, after: "f" }));
    expect(last.counts.done).toBe(4);
    expect((await statusOf(store)).byKey).toEqual({ [oldKey.id]: 6, [newKey.id]: 4 });
    await expectReadable(store, during);
  });

  it("may be killed at every step, each time again, and loses nothing", async () => {
    for (let step = 1; ; step += 1) {
      const isOver = await rotateKilledAt(rotateAll, step);
      if (isOver) {
        // Two lists, and for each of ten objects at least the moments before and after it is replaced.
        expect(step).toBeGreaterThan(22);
        return;
      }
    }
  });

  it("may be killed over and over at the same distance, as long as that is one object", async () => {
    let calls = 0;
    const store = createMemoryStore(() => {
      if (++calls % 5 === 0) throw new Error("killed");
    });
    calls = -1_000;
    await fill(store);
    calls = 0;
    let kept: string | null = null;
    let kills = 0;
    for (let isOver = false; !isOver;) {
      try {
        for await (const progress of rotateAll(store, { ...settings, after: kept })) kept = progress.cursor;
        isOver = true;
      } catch {
        kills += 1;
      }
    }
    calls = -1_000;
    expect(kills).toBeGreaterThan(2);
    expect((await statusOf(store)).byKey).toEqual({ [newKey.id]: 10 });
    await expectReadable(store, afterwards);
  });

  it("takes up again what somebody else wrote meanwhile, and never undoes it", async () => {
    let isRacing = false;
    const store = createMemoryStore((what) => {
      if (what !== "before replacing" || isRacing) return;
      isRacing = true;
      store.put("a", seal({ keyring: before, random, context: store.contextOf("a") }, Buffer.from("newer")));
      store.remove("b");
    });
    await fill(store);
    const last = await finish(rotateAll(store, settings));
    expect(last.counts).toMatchObject({ done: 9, gone: 1, unreadable: 0 });
    const opening = { keyring: afterwards, context: store.contextOf("a") };
    expect(open(opening, store.get("a")).toString()).toBe("newer");
  });

  it("gives up an object that others never stop writing, says so, and goes on", async () => {
    const store = createMemoryStore((what) => {
      if (what === "before replacing") store.put("a", sealValue(store, before, "a"));
    });
    await fill(store);
    const last = await finish(rotateAll(store, settings));
    expect(last.counts).toMatchObject({ done: 9, contended: 1 });
    expect((await statusOf(store)).byKey[oldKey.id]).toBe(1);
    await expectReadable(store, during);
  });

  it("leaves what it cannot open as it is, names it, and goes on", async () => {
    const store = createMemoryStore();
    await fill(store);
    const damaged = Buffer.from(store.get("c"));
    damaged[60]! ^= 1;
    store.put("c", damaged);
    store.put("d", Buffer.from("no header"));
    const outcomes = new Map<string, RotationProgress>();
    for await (const progress of rotateAll(store, settings)) outcomes.set(progress.cursor, progress);
    expect(outcomes.get("c")).toMatchObject({ outcome: "unreadable", fault: { fault: "altered" } });
    expect(outcomes.get("d")).toMatchObject({ outcome: "unreadable", fault: { fault: "malformed" } });
    expect(outcomes.get("t")?.counts).toMatchObject({ done: 8, unreadable: 2 });
    expect(store.get("c").equals(damaged)).toBe(true);
    expect(await statusOf(store)).toMatchObject({ objects: 10, byKey: { [oldKey.id]: 1 }, malformed: ["d"] });
  });

  it("hands on the failure of its store", async () => {
    const store = createMemoryStore((what) => {
      if (what === "before replacing") throw new Error("disk full");
    });
    await fill(store);
    await expect(finish(rotateAll(store, settings))).rejects.toThrow("disk full");
    await expectReadable(store, before);
  });
});

/** One run that is killed at that call of its store, the pass that follows, and what must hold after each. */
async function rotateKilledAt(
  rotateAll: (typeof rounds)[keyof typeof rounds],
  step: number,
): Promise<boolean> {
  let left = Number.POSITIVE_INFINITY;
  let kept: string | null = null;
  const store = createMemoryStore(() => {
    if (--left === 0) throw new Error("killed");
  });
  await fill(store);
  left = step;
  let isKilled = false;
  try {
    // Progress is kept late, as by somebody who writes it down every third time.
    for await (const { cursor, counts } of rotateAll(store, settings))
      if (counts.done % 3 === 0) kept = cursor;
  } catch {
    isKilled = true;
  }
  left = Number.POSITIVE_INFINITY;
  await expectReadable(store, during);
  await drain(rotateAll(store, { ...settings, after: kept }));
  expect((await statusOf(store)).byKey).toEqual({ [newKey.id]: 10 });
  await expectReadable(store, afterwards);
  return !isKilled;
}

describe("a stream that was damaged", () => {
  it("is found by re-encryption, which leaves it as it was", async () => {
    const store = createMemoryStore();
    await fill(store);
    const damaged = Buffer.from(store.get("s"));
    damaged[damaged.length - 1]! ^= 1;
    store.put("s", damaged);
    const last = await finish(reencryptAll(store, settings));
    expect(last.counts).toMatchObject({ done: 9, unreadable: 1 });
    expect(store.get("s").equals(damaged)).toBe(true);
    expect((await statusOf(store)).byGeneration).toEqual({ 0: 1, 1: 9 });
  });
});

describe("new data keys", () => {
  it("are what re-encryption gives and rewrapping does not", async () => {
    const [rewrapped, reencrypted] = [createMemoryStore(), createMemoryStore()];
    await fill(rewrapped);
    for (const id of rewrapped.ids()) reencrypted.put(id, rewrapped.get(id));
    const was = rewrapped.get("a").subarray(HEADER_BYTES);
    await finish(rewrapAll(rewrapped, settings));
    await finish(reencryptAll(reencrypted, settings));
    expect(rewrapped.get("a").subarray(HEADER_BYTES)).toEqual(was);
    expect(reencrypted.get("a").subarray(HEADER_BYTES)).not.toEqual(was);
    expect((await statusOf(rewrapped)).byGeneration).toEqual({ 0: 10 });
    expect((await statusOf(reencrypted)).byGeneration).toEqual({ 1: 10 });
  });
});

describe("rotation while others read and write", () => {
  it("is over after as many passes as the status asks for", async () => {
    const keys: Key[] = [oldKey, newKey];
    let writes = 0;
    const store = createMemoryStore(() => {
      // A writer that has not heard of the new key, on its last few writes, behind and ahead of the cursor.
      if (writes > 6) return;
      writes += 1;
      store.put(`a${writes}`, sealValue(store, before, `a${writes}`));
      store.put(`h${writes}`, sealValue(store, before, `h${writes}`));
    });
    await fill(store);
    let passes = 0;
    do {
      await finish(rewrapAll(store, settings));
      await expectReadable(store, createKeyring({ keys, activeId: newKey.id }));
      passes += 1;
    } while ((await statusOf(store)).byKey[oldKey.id] !== undefined);
    expect(passes).toBeLessThanOrEqual(3);
    await expectReadable(store, afterwards);
  });

  it("walks through more objects than one page holds", async () => {
    const store = createMemoryStore();
    for (let n = 0; n < 250; n += 1) store.put(`${n}`, sealValue(store, before, `${n}`));
    expect((await finish(rewrapAll(store, settings))).counts.done).toBe(250);
    expect(await statusOf(store)).toMatchObject({ objects: 250, byKey: { [newKey.id]: 250 } });
  });
});
