import type { ResourceLimits } from "@mainstay/api";
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Control groups of the kernel (cgroups(7)): one group an instance, so that what it may use is limited and
 * nothing it starts escapes. Version 2 where its controllers can be had, else version 1; the group that is
 * killed as a whole is always one of version 2. Where none of them is writable, nothing is limited.
 */
export interface ControlGroups {
  /** By what limits are enforced here; "none" with the reason. */
  limits: { by: "cgroup-v2" | "cgroup-v1" | "none"; reason: string | null };
  /** The group of an instance, made when it is missing. */
  open(id: string, limits: ResourceLimits | null): ControlGroup;
  /** Takes away groups without a process: those that an agent left which was killed. */
  sweep(): void;
  /** Takes away the directory that held the groups as well, once they are gone. */
  remove(): void;
}

export interface ControlGroup {
  /** A process belongs to the group once it has written its id into each of these files. */
  joinFiles: string[];
  /** Processes of the group, wherever they went. */
  pids(): number[];
  /** Kills all of them at once; false where the kernel cannot. */
  kill(): boolean;
  /** How often the kernel killed a process of the group because it exceeded its memory. */
  memoryKills(): number;
  remove(): void;
}

export interface ControlGroupsOptions {
  /** Where the hierarchies are mounted: /sys/fs/cgroup. */
  mount: string;
  /** The text of /proc/self/cgroup. */
  ownGroups: string;
  /** Names the directory that holds all groups of this agent. */
  name: string;
}

const CPU_PERIOD_US = 100_000;
const CONTROLLERS = ["memory", "cpu"];

export function createControlGroups({ mount, ownGroups, name }: ControlGroupsOptions): ControlGroups {
  const unified = [mount, join(mount, "unified")].find(
    (each) => read(join(each, "cgroup.controllers")) !== null,
  );
  const whole = unified ? firstWritable(placesIn(unified, ownPath(ownGroups, "")), name) : null;
  const second = unified ? findControlled(placesIn(unified, ownPath(ownGroups, "")), name) : null;
  const first = second ? null : findFirstVersion(mount, ownGroups, name);
  const limits: ControlGroups["limits"] = second
    ? { by: "cgroup-v2", reason: null }
    : first
      ? { by: "cgroup-v1", reason: null }
      : { by: "none", reason: `no cgroup with the controllers memory and cpu is writable below ${mount}` };

  const bases = [second ?? whole, first?.memory, first?.cpu].filter((each) => typeof each === "string");

  function sweep(): void {
    for (const base of bases) for (const each of listGroups(base)) removeEmpty(each);
  }

  return {
    limits,
    open(id, wanted) {
      const base = second ?? whole;
      const own = base && make(join(base, id)) ? join(base, id) : null;
      if (!wanted) return createGroup(own, []);
      if (second) return createGroup(own, own ? limitSecond(own, wanted) : []);
      return createGroup(own, first ? limitFirst(first, id, wanted) : []);
    },
    sweep,
    remove() {
      sweep();
      for (const each of bases) removeEmpty(each);
    },
  };
}

/** Where our directory may lie: in the group this process is in, beside it, or at the top. */
function placesIn(root: string, own: string): string[] {
  return [...new Set([join(root, own), join(root, dirname(own)), root])];
}

/** The path of this process in a hierarchy, by its controller; "" names version 2 (cgroups(7)). */
function ownPath(ownGroups: string, controller: string): string {
  const lines = ownGroups.split("\n").map((line) => line.split(":"));
  return lines.find(([, names = ""]) => names.split(",").includes(controller))?.[2] ?? "/";
}

function firstWritable(places: string[], name: string): string | null {
  const place = places.find((each) => make(join(each, name)));
  return place === undefined ? null : join(place, name);
}

/** A directory of version 2 whose groups can be limited: its controllers are switched on down to it. */
function findControlled(places: string[], name: string): string | null {
  const enable = CONTROLLERS.map((each) => `+${each}`).join(" ");
  for (const place of places) {
    const has = new Set((read(join(place, "cgroup.controllers")) ?? "").trim().split(/\s+/));
    if (!CONTROLLERS.every((each) => has.has(each))) continue;
    // Refused where the group has processes of its own: only the topmost may have both.
    if (!write(join(place, "cgroup.subtree_control"), enable)) continue;
    const base = join(place, name);
    if (make(base) && write(join(base, "cgroup.subtree_control"), enable)) return base;
  }
  return null;
}

type FirstVersion = Record<"memory" | "cpu", string>;

function findFirstVersion(mount: string, ownGroups: string, name: string): FirstVersion | null {
  const find = (controller: string): string | null => {
    const root = join(mount, controller);
    if (read(join(root, "cgroup.procs")) === null) return null;
    return firstWritable(placesIn(root, ownPath(ownGroups, controller)), name);
  };
  const [memory, cpu] = [find("memory"), find("cpu")];
  return memory && cpu ? { memory, cpu } : null;
}

/** Where a group's limits are: what to join, and which file counts what the kernel killed. */
interface Limited {
  directory: string;
  killsFile: string | null;
}

function limitSecond(directory: string, { memoryBytes, cpu }: ResourceLimits): Limited[] {
  must(join(directory, "memory.max"), String(memoryBytes ?? "max"));
  if (memoryBytes !== null) {
    write(join(directory, "memory.swap.max"), "0");
    write(join(directory, "memory.oom.group"), "1");
  }
  const quota = cpu === null ? "max" : Math.round(cpu * CPU_PERIOD_US);
  must(join(directory, "cpu.max"), `${quota} ${CPU_PERIOD_US}`);
  return [{ directory, killsFile: join(directory, "memory.events") }];
}

function limitFirst(base: FirstVersion, id: string, { memoryBytes, cpu }: ResourceLimits): Limited[] {
  const [memory, time] = [join(base.memory, id), join(base.cpu, id)];
  for (const each of [memory, time]) make(each);
  // Memory with swap may never be less than memory alone, so what is lowered first depends on what it was.
  write(join(memory, "memory.memsw.limit_in_bytes"), "-1");
  must(join(memory, "memory.limit_in_bytes"), String(memoryBytes ?? -1));
  if (memoryBytes !== null) write(join(memory, "memory.memsw.limit_in_bytes"), String(memoryBytes));
  must(join(time, "cpu.cfs_period_us"), String(CPU_PERIOD_US));
  must(join(time, "cpu.cfs_quota_us"), String(cpu === null ? -1 : Math.round(cpu * CPU_PERIOD_US)));
  return [
    { directory: memory, killsFile: join(memory, "memory.oom_control") },
    { directory: time, killsFile: null },
  ];
}

function createGroup(own: string | null, limited: Limited[]): ControlGroup {
  const directories = [...new Set([...(own ? [own] : []), ...limited.map((each) => each.directory)])];
  const killsFiles = limited.flatMap((each) => each.killsFile ?? []);
  return {
    joinFiles: directories.map((each) => join(each, "cgroup.procs")),
    pids: () => (own ? (read(join(own, "cgroup.procs")) ?? "").split("\n").filter(Boolean).map(Number) : []),
    kill: () => own !== null && write(join(own, "cgroup.kill"), "1"),
    memoryKills: () =>
      Math.max(0, ...killsFiles.map((each) => Number(/^oom_kill (\d+)$/m.exec(read(each) ?? "")?.[1] ?? 0))),
    remove() {
      for (const each of directories) removeEmpty(each);
    },
  };
}

function make(directory: string): boolean {
  try {
    mkdirSync(directory);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EEXIST";
  }
}

function listGroups(base: string): string[] {
  const entries = readdirSync(base, { withFileTypes: true });
  return entries.filter((each) => each.isDirectory()).map((each) => join(base, each.name));
}

function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // Not there, or not ours to read.
    return null;
  }
}

function must(file: string, text: string): void {
  // Opened without creating: a group has the files the kernel gives it.
  writeFileSync(file, text, { flag: "r+" });
}

function write(file: string, text: string): boolean {
  try {
    must(file, text);
    return true;
  } catch {
    // Not writable here; the caller has another way or says so.
    return false;
  }
}

function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Gone already, or a process of it still ends: an empty group costs nothing.
  }
}
