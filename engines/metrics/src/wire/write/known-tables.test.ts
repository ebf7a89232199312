import { describe, expect, it } from "vitest";
import { KnownTables } from "./known-tables.ts";

const table = (text: string) => new TextEncoder().encode(text);

describe("known tables", () => {
  it("keep a table that comes for the second time, by a copy of its bytes", () => {
    const tables = new KnownTables({ limitBytes: 2 ** 20 });
    const bytes = table("symbols");
    expect(tables.find(bytes, 3)).toBeNull();
    const kept = tables.find(bytes, 3);
    expect(kept?.ids).toHaveLength(3);
    bytes[0] = 0;
    expect(tables.find(table("symbols"), 3)).toBe(kept);
    expect(tables.find(table("Symbols"), 3)).toBeNull();
  });

  it("keep a copy of a Buffer too, not a view of the request it stands in", () => {
    const tables = new KnownTables({ limitBytes: 2 ** 20 });
    const request = Buffer.from("symbols, and series behind them");
    tables.find(request.subarray(0, 7), 3);
    const kept = tables.find(request.subarray(0, 7), 3);
    expect(kept?.bytes.buffer.byteLength).toBe(7);
  });

  it("let the oldest go when they hold more than they may", () => {
    const tables = new KnownTables({ limitBytes: 200_000 });
    const twice = (text: string) => [tables.find(table(text), 1), tables.find(table(text), 1)][1];
    const first = twice("first");
    const second = twice("second");
    tables.makeRoom();
    expect(tables.find(table("first"), 1)).toBe(first);
    twice("third");
    tables.makeRoom();
    expect(tables.sizeBytes).toBeLessThan(200_000);
    expect(tables.find(table("first"), 1)).toBeNull();
    expect(tables.find(table("second"), 1)).toBe(second);
  });
});
