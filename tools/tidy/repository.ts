import { readdir, readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { parseSource, type Source } from "./source.ts";

/** What the rules look at: code, other text, and what the workspaces offer to each other. */
export interface Repository {
  sources: Source[];
  /** Everything else that people read: Markdown, SQL, shell, YAML. */
  documents: { path: string; text: string }[];
  /** Every path there is, folders included, relative and with forward slashes. */
  paths: Set<string>;
  /** `@mainstay/api` → its entry points: `@mainstay/api` → `api/src/index.ts`. */
  entryPoints: Map<string, string>;
}

const PASSED_OVER = new Set([".git", "node_modules", "data", "dist", ".cache", "coverage"]);
const CODE = /\.(ts|js|mjs)$/;
const DOCUMENT = /\.(md|sql|sh|ya?ml)$|(^|\/)\.ci\/run$/;

/** Reads everything below a folder. */
export async function readRepository(root: string): Promise<Repository> {
  const paths = await listPaths(root);
  const files = paths.filter(
    (path) => CODE.test(path) || DOCUMENT.test(path) || path.endsWith("package.json"),
  );
  const texts = new Map<string, string>();
  await Promise.all(files.map(async (path) => texts.set(path, await readFile(join(root, path), "utf8"))));
  return createRepository(texts, paths);
}

/** The same from texts in memory. */
export function createRepository(
  texts: Map<string, string>,
  paths: Iterable<string> = texts.keys(),
): Repository {
  const repository: Repository = {
    sources: [],
    documents: [],
    paths: withFolders(paths),
    entryPoints: new Map(),
  };
  for (const [path, text] of [...texts].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (CODE.test(path)) repository.sources.push(parseSource(path, text));
    else if (path.endsWith("package.json")) addEntryPoints(repository.entryPoints, path, text);
    else repository.documents.push({ path, text });
  }
  return repository;
}

/** Where an import leads: a path of the repository, or null when it leaves it. */
export function resolveImport(repository: Repository, from: string, specifier: string): string | null {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(from), specifier);
  return repository.entryPoints.get(specifier) ?? null;
}

async function listPaths(root: string, folder = ""): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  const paths: string[] = [];
  for (const entry of entries) {
    if (PASSED_OVER.has(entry.name)) continue;
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) paths.push(...(await listPaths(root, path)));
    else if (entry.isFile()) paths.push(path);
  }
  return paths;
}

function withFolders(paths: Iterable<string>): Set<string> {
  const all = new Set<string>();
  for (let path of paths) {
    for (; path !== "."; path = posix.dirname(path)) all.add(path);
  }
  return all;
}

function addEntryPoints(entryPoints: Map<string, string>, path: string, text: string): void {
  const manifest: { name?: string; exports?: Record<string, string> } = JSON.parse(text);
  for (const [entry, target] of Object.entries(manifest.exports ?? {})) {
    entryPoints.set(posix.join(manifest.name ?? "", entry), posix.join(posix.dirname(path), target));
  }
}
