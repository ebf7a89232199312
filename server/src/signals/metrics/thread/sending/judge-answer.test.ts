import { describe, expect, it } from "vitest";
import { judgeAnswer, type Judgement } from "./judge-answer.ts";

const NOW_MS = Date.parse("2026-11-01T12:00:00Z");
const WRITTEN = { "x-prometheus-remote-write-samples-written": "3" };

function judge(
  status: number,
  headers: Record<string, string> = {},
  asked: { version?: 1 | 2; mayFallBack?: boolean } = {},
): Judgement["act"] | Judgement {
  const answer = { status, headers, message: "" };
  return judgeAnswer(answer, { version: 2, mayFallBack: true, nowMs: NOW_MS, ...asked });
}

describe("an answer to remote-write", () => {
  it("of a receiver of 2.0 says what was written", () => {
    expect(judge(204, WRITTEN)).toEqual({ act: "go-on", written: { samples: 3, histograms: 0 } });
    expect(judge(200, WRITTEN, { mayFallBack: false })).toMatchObject({ act: "go-on" });
  });

  it.each([200, 204, 400, 404, 405, 406, 415, 501])(
    "of %i, without a word of what was written, may be that of a receiver of 1.0",
    (status) => {
      expect(judge(status)).toEqual({ act: "fall-back" });
      expect(judge(status, {}, { mayFallBack: false })).not.toMatchObject({ act: "fall-back" });
      expect(judge(status, {}, { version: 1 })).not.toMatchObject({ act: "fall-back" });
    },
  );

  it("of 2xx is a success in version 1, and none in version 2 if nothing is said to be written", () => {
    expect(judge(204, {}, { version: 1 })).toEqual({ act: "go-on", written: null });
    expect(judge(204, {}, { mayFallBack: false })).toMatchObject({ act: "give-up", status: 204 });
  });

  it.each([400, 401, 403, 409, 413, 422])("of %i is not asked for again", (status) => {
    expect(judge(status, WRITTEN)).toMatchObject({ act: "give-up", status, written: { samples: 3 } });
    expect(judge(status, {}, { version: 1 })).toMatchObject({ act: "give-up", written: null });
  });

  it.each([429, 500, 502, 503, 504])("of %i is asked for again", (status) => {
    expect(judge(status)).toEqual({ act: "again", message: `HTTP ${status}`, afterMs: null });
    expect(judge(status, {}, { version: 1 })).toMatchObject({ act: "again" });
  });

  it("says in Retry-After when, in seconds or as a date, at most five minutes later", () => {
    const afterMs = (value: string) => {
      const judged = judge(503, { "retry-after": value });
      return typeof judged === "object" && judged.act === "again" ? judged.afterMs : NaN;
    };
    expect(afterMs("7")).toBe(7_000);
    expect(afterMs("Sun, 01 Nov 2026 12:00:30 GMT")).toBe(30_000);
    expect(afterMs("Sun, 01 Nov 2026 11:00:00 GMT")).toBe(0);
    expect(afterMs("86400")).toBe(300_000);
    expect(afterMs("soon")).toBe(null);
  });
});
