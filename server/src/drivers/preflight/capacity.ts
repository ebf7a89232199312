import { AppError, formatSize } from "@mainstay/api";
import { findingOf, type Finding } from "../../core/changes/index.ts";
import { instancesOf, type Situation } from "./situation.ts";

const MIB = 1024 ** 2;
/** Both logs of an instance at their limit, each with its older half. */
const LOGS_PER_INSTANCE_BYTES = 2 * 96 * MIB;
/** Below this PostgreSQL, metrics and a rollback are in danger. */
const PLATFORM_RESERVE_BYTES = 512 * MIB;
/** So much more than needed, and nothing is said. */
const COMFORT = 1.5;

/** Disk and memory for two releases side by side. */
export async function checkCapacity(situation: Situation): Promise<Finding[]> {
  return [...(await checkDisk(situation)), ...checkMemory(situation)];
}

async function checkDisk({ candidate, dataDirectory, machine }: Situation): Promise<Finding[]> {
  const freeBytes = await machine.freeDiskBytes(dataDirectory);
  const neededBytes = PLATFORM_RESERVE_BYTES + instancesOf(candidate) * LOGS_PER_INSTANCE_BYTES;
  if (freeBytes >= neededBytes) return [];
  const words = { path: dataDirectory, free: formatSize(freeBytes), needed: formatSize(neededBytes) };
  // The logs fill up slowly; what must not happen is that the platform itself stops for want of space.
  const severity = freeBytes < PLATFORM_RESERVE_BYTES ? "error" : "warning";
  return [findingOf(new AppError("PREFLIGHT_DISK", words), { severity, isForceable: severity === "error" })];
}

/** The candidate's instances are taken to need what those of the stable release need now. */
function checkMemory({ candidate, stable, observed, machine }: Situation): Finding[] {
  const known = observed
    .filter((each) => each.release === stable?.id)
    .flatMap((each) => (each.memoryBytes === null ? [] : [each.memoryBytes]));
  if (known.length === 0) return [];
  const eachBytes = known.reduce((total, bytes) => total + bytes, 0) / known.length;
  const neededBytes = eachBytes * instancesOf(candidate);
  const freeBytes = machine.availableMemoryBytes();
  if (freeBytes >= COMFORT * neededBytes) return [];
  const words = { free: formatSize(freeBytes), needed: formatSize(neededBytes) };
  const severity = freeBytes < neededBytes ? "error" : "warning";
  return [
    findingOf(new AppError("PREFLIGHT_MEMORY", words), { severity, isForceable: severity === "error" }),
  ];
}
