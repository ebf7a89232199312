import { expect, test } from "vitest";
import { checkEvent } from "./event.ts";

test("the channel of an event is the room that its type names", () => {
  expect(checkEvent({ type: "changes.stage_advanced", subject: "chg_1", data: {} }).channel).toBe("changes");
});

test("an event may choose another channel", () => {
  const event = { type: "changes.succeeded", subject: "chg_1", data: {}, channel: "status" };
  expect(checkEvent(event).channel).toBe("status");
});

test.each(["changes", "Changes.done", "changes.", ".done", "a.b.c", "changes.stage-advanced"])(
  "the type %j is refused",
  (type) => {
    expect(() => checkEvent({ type, subject: "x", data: {} })).toThrow(/room\.past_tense/);
  },
);

test("an event is refused when its data is larger than 256 KiB", () => {
  const data = { text: "x".repeat(256 * 1024) };
  expect(() => checkEvent({ type: "changes.done", subject: "x", data })).toThrow(/the limit is 262144/);
});
