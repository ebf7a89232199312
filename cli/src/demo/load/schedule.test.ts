import { expect, test } from "vitest";
import { createSchedule } from "./schedule.ts";

test("requests are due at even distances from the start on", () => {
  const schedule = createSchedule({ rps: 200, durationMs: null });
  expect([0, 1, 2, 200].map(schedule.dueMs)).toEqual([0, 5, 10, 1000]);
  expect([0, 4.9, 5, 999.9, 1000].map(schedule.countDue)).toEqual([1, 1, 2, 200, 201]);
});

test("a duration bounds the number of requests, however late it is", () => {
  const schedule = createSchedule({ rps: 200, durationMs: 1000 });
  expect(schedule.total).toBe(200);
  expect(schedule.countDue(60_000)).toBe(200);
});

test("without a duration there is no end", () => {
  expect(createSchedule({ rps: 10, durationMs: null }).total).toBe(Infinity);
});
