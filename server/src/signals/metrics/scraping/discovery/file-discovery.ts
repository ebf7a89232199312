import { AppError, describeIssues, explain, readYaml } from "@mainstay/api";
import path from "node:path";
import { z } from "zod";
import type { FileDiscovery, TargetGroup } from "../scrape-job.ts";
import type { Discovery } from "./discovery.ts";
import { findingsOf } from "../findings-of.ts";

/** As much of `node:fs/promises` as is asked. */
export interface DiscoveryFiles {
  readdir(directory: string): Promise<string[]>;
  readFile(file: string): Promise<string>;
  /** Changes with the content. */
  stamp(file: string): Promise<string>;
}

/** There are no changes to be told of by the system: files are looked at this often at least. */
const LOOK_MS = 5_000;

const groupList = z.array(
  z.strictObject({
    targets: z.array(z.string()),
    labels: z.record(z.string(), z.coerce.string()).default({}),
  }),
);

interface KnownFile {
  stamp: string;
  groups: TargetGroup[];
}

/** `file_sd_configs`: a file that is broken keeps its targets, one that is gone takes them along. */
export function createFileDiscovery(config: FileDiscovery, files: DiscoveryFiles): Discovery {
  let known = new Map<string, KnownFile>();

  async function readOne(file: string): Promise<{ read: KnownFile | null; problem: string | null }> {
    const before = known.get(file) ?? null;
    try {
      const stamp = await files.stamp(file);
      if (before?.stamp === stamp) return { read: before, problem: null };
      const groups = readGroups(await files.readFile(file), file);
      return { read: { stamp, groups }, problem: null };
    } catch (error) {
      if (isMissing(error)) return { read: null, problem: null };
      return { read: before, problem: `${file}: ${findingsOf(error)}` };
    }
  }

  return {
    refreshMs: Math.min(LOOK_MS, config.refreshMs),
    async look() {
      const names = (await Promise.all(config.patterns.map((each) => expand(each, files)))).flat();
      const next = new Map<string, KnownFile>();
      const problems: string[] = [];
      for (const name of new Set(names)) {
        const { read, problem } = await readOne(name);
        if (read) next.set(name, read);
        if (problem !== null) problems.push(problem);
      }
      known = next;
      return { groups: [...known.values()].flatMap((each) => each.groups), problems };
    },
  };
}

function readGroups(text: string, file: string): TargetGroup[] {
  const parsed = groupList.safeParse(readYaml(text, file), { error: explain });
  if (!parsed.success)
    throw new AppError("CONFIG_INVALID", { file }, { errors: describeIssues(parsed.error, groupList) });
  return parsed.data.map(({ targets, labels }) => ({
    targets,
    labels: { ...labels, __meta_filepath: file },
  }));
}

async function expand(pattern: string, files: DiscoveryFiles): Promise<string[]> {
  const [directory, name] = [path.dirname(pattern), path.basename(pattern)];
  const [start = "", end] = name.split("*");
  if (end === undefined) return [pattern];
  const entries = await files.readdir(directory).catch(() => []);
  const fits = (each: string) =>
    each.startsWith(start) && each.endsWith(end) && each.length >= start.length + end.length;
  return entries
    .filter(fits)
    .toSorted()
    .map((each) => path.join(directory, each));
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
