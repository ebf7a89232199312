import { PROBLEM_KINDS } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import { messageOf, TOLD_TYPES } from "./message.ts";

const TIME = "2026-11-01T12:30:00.000Z";
const SINCE = "2026-11-01T12:00:00.000Z";
const change = {
  ...{ service: "shop", environment: "production", kind: "release", target: "shop/production" },
  ...{ candidate: "rel_2", stable: "rel_1", from: "draining-candidate", state: "undone", stage: 0 },
  ...{ by: "platform", reason: "the candidate is drained and stopped", outcome: "errors: 5 % against 0.5 %" },
};

describe("what is told", () => {
  it("of a change that was undone is why, what serves now, and where to look", () => {
    const message = messageOf({ type: "changes.undone", subject: "chg_1", time: TIME, data: change });
    expect(message).toMatchObject({
      topic: "change-undone",
      subject: "shop/production",
      title: "shop (production): a change was undone",
    });
    expect(message?.body.join("\n")).toMatch(
      /errors: 5 % against 0.5 %\n.*rel_1 serves.\nmainstay change show chg_1/,
    );
  });

  it("of a change that waits for approval is who asked for what, and how to answer", () => {
    const asked = {
      ...change,
      from: "none",
      state: "requested",
      by: "Bob",
      reason: "the new tills",
      outcome: null,
    };
    const message = messageOf({
      type: "changes.approval_awaited",
      subject: "chg_1",
      time: TIME,
      data: asked,
    });
    expect(message).toMatchObject({
      ...{ topic: "approval-awaited", mood: "question", subject: "chg_1" },
      title: "shop (production): a change waits for approval",
    });
    expect(message?.body.join("\n")).toMatch(
      /^Bob: the new tills\n.*rel_2 in the place of rel_1.\n.*mainstay change approve chg_1$/,
    );
  });

  it.each(PROBLEM_KINDS)(
    "of the problem %s is what it is and what to do, and in the end how long it was so",
    (kind) => {
      const data = { kind, service: null, environment: null, summary: "It is so", since: SINCE };
      const opened = messageOf({ type: "problems.opened", subject: "it", time: TIME, data });
      expect(opened).toMatchObject({ topic: kind, mood: "problem", subject: "it", title: "It is so" });
      expect(opened?.body[1]).toMatch(/mainstay /);
      const over = { ...data, lastedMs: 30 * 60_000 };
      const ended = messageOf({ type: "problems.ended", subject: "it", time: TIME, data: over });
      expect(ended).toMatchObject({ topic: kind, mood: "recovered", subject: "it", title: "Over: It is so" });
      expect(ended?.body).toEqual([`It was so from ${SINCE} to ${TIME}, for 30m.`]);
    },
  );

  it("of anything else is nothing", () => {
    expect(messageOf({ type: "changes.succeeded", subject: "chg_1", time: TIME, data: change })).toBeNull();
    expect(TOLD_TYPES).toEqual([
      ...["changes.undone", "changes.approval_awaited", "problems.opened", "problems.ended"],
    ]);
  });
});
