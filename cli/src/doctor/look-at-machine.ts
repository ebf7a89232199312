import { statfs, readFile } from "node:fs/promises";
import { finding, type Finding } from "./finding.ts";
import type { Patient } from "./patient.ts";

const MIB = 1024 ** 2;
/** Room for two releases of a small service, and for the database to go on. */
const DISK = { scarceBytes: 1024 * MIB, fullBytes: 200 * MIB };
const MEMORY = { scarceBytes: 200 * MIB, fullBytes: 64 * MIB };
/** The first with net.BoundSocket, which the data plane stands on. */
const NODE = { major: 24, minor: 19 };

/** What the platform needs of its machine: disk, memory, clock, Node. */
export async function lookAtMachine({ machine, dataDirectory }: Patient): Promise<Finding[]> {
  return [
    judgeDisk(dataDirectory, await freeBytes(dataDirectory)),
    judgeMemory(await readFile("/proc/meminfo", "utf8").catch(() => "")),
    judgeNode(process.versions.node),
    ...judgeClock((await machine.run(["timedatectl", "show", "-p", "NTPSynchronized", "--value"])).stdout),
  ];
}

async function freeBytes(directory: string): Promise<number | null> {
  return statfs(directory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => null,
  );
}

/** The disk of the data directory, by what is free on it. */
export function judgeDisk(directory: string, free: number | null): Finding {
  const remedy = `Free some space where ${directory} lies; retention in mainstay.platform.yaml says what is kept.`;
  const at: [string, string] = ["machine", "disk"];
  if (free === null) {
    return finding(at, "error", { facts: `${directory} is not there`, remedy: "Start the platform once." });
  }
  return finding(at, judge(free, DISK), { facts: `${megabytes(free)} free for ${directory}`, remedy });
}

/** The memory, by the text of /proc/meminfo. */
export function judgeMemory(meminfo: string): Finding {
  const kilobytes = Number(/^MemAvailable:\s+(\d+)/m.exec(meminfo)?.[1] ?? Number.NaN);
  const at: [string, string] = ["machine", "memory"];
  if (Number.isNaN(kilobytes)) {
    return finding(at, "warning", { facts: "/proc/meminfo does not say", remedy: "Mount /proc." });
  }
  const facts = `${megabytes(kilobytes * 1024)} available`;
  const remedy = "Scale a service down, or give the machine more memory: two releases run side by side.";
  return finding(at, judge(kilobytes * 1024, MEMORY), { facts, remedy });
}

/** The Node that runs this command, which is the one that runs the platform. */
export function judgeNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isEnough = major > NODE.major || (major === NODE.major && minor >= NODE.minor);
  const remedy = `Use Node ${NODE.major}.${NODE.minor} or newer.`;
  return finding(["machine", "node"], isEnough ? "ok" : "error", { facts: `Node ${version}`, remedy });
}

/** Whether the clock is kept right; nothing where the machine does not say. */
export function judgeClock(answer: string): Finding[] {
  const said = answer.trim();
  if (said !== "yes" && said !== "no") return [];
  const facts = said === "yes" ? "synchronised" : "not synchronised";
  const remedy = "timedatectl set-ntp true";
  return [finding(["machine", "clock"], said === "yes" ? "ok" : "warning", { facts, remedy })];
}

function judge(bytes: number, { scarceBytes, fullBytes }: { scarceBytes: number; fullBytes: number }) {
  if (bytes < fullBytes) return "error";
  return bytes < scarceBytes ? "warning" : "ok";
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}
