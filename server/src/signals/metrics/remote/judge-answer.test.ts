import { expect, it } from "vitest";
import { judgeAnswer } from "./judge-answer.ts";

const judge = (status: number, headers: Record<string, string>, acceptsGzip = true) =>
  judgeAnswer({ status, headers }, { place: "the remote", acceptsGzip, limitBytes: 1000 });

it.each([
  [200, "application/json"],
  [200, "application/json; charset=utf-8"],
  [200, "application/stream+json; charset=utf-8"],
  [422, "application/json"],
])("passes on what answers in words of Prometheus: %i %s", (status, type) => {
  expect(judge(status, { "content-type": type })).toEqual({ isGzip: false });
  expect(judge(status, { "content-type": type, "content-encoding": "gzip" })).toEqual({ isGzip: true });
});

it.each([
  [200, { "content-type": "text/html" }, "nonsense"],
  [200, {}, "nonsense"],
  [204, { "content-type": "application/json" }, "nonsense"],
  [307, { "content-type": "application/json" }, "nonsense"],
  [502, { "content-type": "application/json" }, "nonsense"],
  [403, { "content-type": "application/json" }, "refused"],
  [200, { "content-type": "application/json", "content-length": "1001" }, "too-large"],
])("passes on nothing else: %i %j", (status, headers, reason) => {
  expect(() => judge(status, headers)).toThrow(expect.objectContaining({ reason }));
});

it("does not hand out what is packed to whoever cannot unpack it", () => {
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  expect(() => judge(200, headers, false)).toThrow(expect.objectContaining({ reason: "nonsense" }));
});
