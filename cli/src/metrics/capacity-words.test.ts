import { expect, it } from "vitest";
import { capacityWords } from "./capacity-words.ts";

const GIB = 1024 ** 3;
const HOUR_MS = 3_600_000;
const disk = { instance: "here", mountpoint: "/", device: "/dev/a", freeBytes: 2 * GIB, sizeBytes: null };
const full = { bytesPerDay: -GIB, daysLeft: 2, fullAt: "2026-11-03T12:00:00.000Z" };

it("says from how much of the window a forecast comes", () => {
  const disks = [{ ...disk, ...full, coveredMs: 6 * HOUR_MS, isUncertain: false }];
  expect(capacityWords({ windowMs: 6 * HOUR_MS, disks })).toBe(
    [
      "DISK  MACHINE  FREE  A DAY  FULL       SEEN FOR",
      "/     here     2GiB  −1GiB  in 2 days  6h",
      "",
      "Forecast by a straight line through the last 6h.",
    ].join("\n"),
  );
});

it("calls a forecast from little uncertain, and makes none from next to nothing", () => {
  const little = { ...disk, ...full, coveredMs: 720_000, isUncertain: true };
  const nothing = { ...disk, bytesPerDay: null, daysLeft: null, fullAt: null };
  const words = capacityWords({
    windowMs: 6 * HOUR_MS,
    disks: [little, { ...nothing, coveredMs: 60_000, isUncertain: true }],
  });
  expect(words).toContain("in 2 days, uncertain  12m");
  expect(words).toMatch(/– +seen too little +1m/);
  expect(words).toContain("Uncertain where less than half of that was seen");
});

it.each([
  [0, "now"],
  [0.1, "in 3h"],
  [1, "in 1 day"],
  [12.34, "in 12 days"],
  [123.4, "in 120 days"],
  [null, "not in sight"],
])("tells %j days as %s", (daysLeft, words) => {
  const disks = [{ ...disk, ...full, daysLeft, coveredMs: 6 * HOUR_MS, isUncertain: false }];
  expect(capacityWords({ windowMs: 6 * HOUR_MS, disks })).toContain(` ${words}  `);
});
