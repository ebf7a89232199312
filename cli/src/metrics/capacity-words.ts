import type { CapacityResource } from "@mainstay/api";
import { formatDuration, formatSize } from "@mainstay/api/plain";
import { counted } from "../output/counted.ts";
import { table } from "../output/table.ts";

type Disk = CapacityResource["disks"][number];

/** When disks are full, and from how much of the past that is told. */
export function capacityWords({ windowMs, disks }: CapacityResource): string {
  if (disks.length === 0) return "No disk is measured yet.";
  const window = formatDuration(windowMs);
  const rows = disks.map((disk) => [
    ...[disk.mountpoint, disk.instance, formatSize(disk.freeBytes), changeOf(disk), fullOf(disk)],
    disk.coveredMs === 0 ? "–" : formatDuration(disk.coveredMs),
  ]);
  const told = table(["DISK", "MACHINE", "FREE", "A DAY", "FULL", "SEEN FOR"], rows);
  const notes = [`Forecast by a straight line through the last ${window}.`];
  if (disks.some(({ isUncertain }) => isUncertain))
    notes.push(
      `Uncertain where less than half of that was seen: ask again later, or with a shorter --window.`,
    );
  return [told, "", ...notes].join("\n");
}

function changeOf({ bytesPerDay }: Disk): string {
  if (bytesPerDay === null) return "–";
  return `${bytesPerDay < 0 ? "−" : "+"}${formatSize(Math.abs(bytesPerDay))}`;
}

function fullOf({ bytesPerDay, daysLeft, isUncertain }: Disk): string {
  if (bytesPerDay === null) return "seen too little";
  const when = daysLeft === null ? "not in sight" : inDays(daysLeft);
  return isUncertain ? `${when}, uncertain` : when;
}

function inDays(days: number): string {
  if (days === 0) return "now";
  if (days < 1) return `in ${formatDuration(Math.ceil(days * 24) * 3_600_000)}`;
  return `in ${counted(Number(days.toPrecision(2)), "day")}`;
}
