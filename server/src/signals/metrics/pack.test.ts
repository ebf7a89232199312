import { gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { isGzipAccepted, pack } from "./pack.ts";

it.each([
  ["gzip", true],
  ["deflate, GZIP;q=0.5, br", true],
  ["gzip;q=0, identity", false],
  ["gzip; q=0.000", false],
  ["", false],
  ["br", false],
  ["x-gzipped", false],
])("takes Accept-Encoding: %s for %s", (header, isAccepted) => {
  expect(isGzipAccepted(header)).toBe(isAccepted);
});

it("packs what is long for whoever takes it", async () => {
  const [long, short] = [new Uint8Array(2000), new Uint8Array(20)];
  const packed = await pack(long, true);
  expect([packed.isGzip, gunzipSync(packed.body).length]).toEqual([true, 2000]);
  expect(await pack(long, false)).toEqual({ isGzip: false, body: long });
  expect(await pack(short, true)).toEqual({ isGzip: false, body: short });
});
