import { describe, expect, it } from "vitest";
import { chooseCoding } from "./accept-encoding.ts";

describe("Accept-Encoding", () => {
  it.each([
    [undefined, null],
    ["", null],
    ["gzip", "gzip"],
    ["gzip, deflate, br", "br"],
    ["br;q=0.5, gzip;q=0.8", "gzip"],
    ["gzip;q=0", null],
    ["*", "br"],
    ["br;q=0, *", "gzip"],
    ["identity", null],
    ["identity;q=1, gzip;q=0.5", null],
    ["gzip;q=0.5", "gzip"],
    ["x-gzip", "gzip"],
    ["GZIP ; Q=0.7", "gzip"],
    ["gzip;q=nonsense", null],
    ["gzip;q=2", null],
    ["deflate, zstd", null],
  ])("%s is answered with %s", (header, coding) => {
    expect(chooseCoding(header)).toBe(coding);
  });
});
