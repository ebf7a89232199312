/** Keeps what was used last, up to a number of bytes. */
export interface Lru<Value> {
  get(key: number, make: () => Value): Value;
  clear(): void;
  sizeBytes(): number;
}

export function createLru<Value>(limitBytes: number, sizeOf: (value: Value) => number): Lru<Value> {
  const entries = new Map<number, Value>();
  let heldBytes = 0;
  /** What was asked for last, which is mostly asked for again: it is the newest already. */
  let newest: { key: number; value: Value } | null = null;
  const dropOldest = (): void => {
    for (const [key, value] of entries) {
      if (heldBytes <= limitBytes || entries.size === 1) return;
      entries.delete(key);
      heldBytes -= sizeOf(value);
    }
  };
  return {
    get: (key, make) => {
      if (newest?.key === key) return newest.value;
      const known = entries.get(key);
      if (known !== undefined) {
        entries.delete(key);
        entries.set(key, known);
        newest = { key, value: known };
        return known;
      }
      const value = make();
      entries.set(key, value);
      newest = { key, value };
      heldBytes += sizeOf(value);
      dropOldest();
      return value;
    },
    clear: () => {
      entries.clear();
      newest = null;
      heldBytes = 0;
    },
    sizeBytes: () => heldBytes,
  };
}
