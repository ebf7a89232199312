import { describe, expect, it } from "vitest";
import { endingOf, readLogLine, refusalOf } from "./log-line.ts";

function read(line: string) {
  const request = readLogLine(line);
  if (!request) throw new Error(`not a line: ${line}`);
  return request;
}

const endingOfLine = (rest: string) => endingOf(read(`production.shop.stable ins_1-20001 7 GET ${rest}`));

describe("a line of HAProxy's log", () => {
  it("is read with its latency in microseconds", () => {
    expect(read("production.shop.stable ins_1-20001 4711 GET 200 -- 1530 2 +1")).toEqual({
      backend: "production.shop.stable",
      server: "ins_1-20001",
      bucket: 4711,
      method: "GET",
      status: 200,
      cause: "-",
      phase: "-",
      answerMs: 1.53,
      totalMs: 2,
      retries: 1,
    });
    expect(readLogLine("Proxy public stopped")).toBeNull();
  });

  it.each([
    ["200 -- 900 1 0", { kind: "answered", isCut: "no" }],
    ["500 -- 900 1 0", { kind: "answered", isCut: "no" }],
    ["200 SD 900 1 0", { kind: "answered", isCut: "instance" }],
    ["200 CD 900 1 0", { kind: "answered", isCut: "client" }],
    ["-1 CH - 700 0", { kind: "left" }],
    ["400 CH - 700 0", { kind: "left" }],
    ["502 SH - 3 0", { kind: "failed", lost: null, isTimeout: false, isReset: true }],
    ["502 PH - 3 0", { kind: "failed", lost: null, isTimeout: false, isReset: false }],
    ["504 sH - 5003 0", { kind: "failed", lost: null, isTimeout: true, isReset: false }],
    ["503 SC - 1 2", { kind: "failed", lost: "refused", isTimeout: false, isReset: false }],
    ["503 sC - 9001 2", { kind: "failed", lost: "connect_timeout", isTimeout: false, isReset: false }],
  ])("that says %s counts as its ending", (rest, ending) => {
    expect(endingOfLine(rest)).toEqual(ending);
  });

  it.each([
    ["public <NOSRV> - <BADREQ> 400 PR - 0 0", "malformed"],
    ["public <NOSRV> - <BADREQ> 408 cR - 15001 0", "head_timeout"],
    ["public <NOSRV> - POST 408 cR - 15001 0", "body_timeout"],
    ["public <NOSRV> - <BADREQ> -1 CR - 10 0", null],
  ])("of nobody's request, %s, is refused as %s", (line, reason) => {
    expect(refusalOf(read(line))).toBe(reason);
  });
});
