import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** A file that is made from code and committed beside it. */
export interface GeneratedFile {
  /** Relative to the repository, with forward slashes. */
  path: string;
  text: string;
}

/** What the folder makes: each `*.ts` in it exports `generate(): Promise<GeneratedFile[]>`. */
export async function collectGenerated(folder: string): Promise<GeneratedFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  const files: GeneratedFile[] = [];
  for (const name of names.toSorted()) {
    const generator: unknown = await import(pathToFileURL(join(folder, name)).href);
    if (!isGenerator(generator))
      throw new Error(`${name} does not export generate(): Promise<GeneratedFile[]>`);
    files.push(...(await generator.generate()));
  }
  return files;
}

/** Says what differs between the committed files and those the code makes now; empty when nothing does. */
export async function findDifferences(root: string, files: GeneratedFile[]): Promise<string[]> {
  const differences: string[] = [];
  for (const file of files) {
    const committed = await readFile(join(root, file.path), "utf8").catch(() => null);
    if (committed === null) differences.push(`${file.path} is missing`);
    else if (committed !== file.text)
      differences.push(`${file.path}:${firstDifference(committed, file.text)}`);
  }
  return [...differences, ...(await findOrphans(root, files))];
}

/** Writes the files that differ and answers their paths. */
export async function writeGenerated(root: string, files: GeneratedFile[]): Promise<string[]> {
  const written: string[] = [];
  for (const file of files) {
    const path = join(root, file.path);
    const present = await readFile(path, "utf8").catch(() => null);
    if (present === file.text) continue;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, file.text);
    written.push(file.path);
  }
  return written;
}

/** A folder that is generated holds nothing else: what no generator makes any more has to go. */
async function findOrphans(root: string, files: GeneratedFile[]): Promise<string[]> {
  const made = new Set(files.map((file) => file.path));
  const orphans: string[] = [];
  for (const folder of new Set(files.map((file) => dirname(file.path)))) {
    const present = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
    const paths = present.filter((entry) => entry.isFile()).map((entry) => `${folder}/${entry.name}`);
    orphans.push(...paths.filter((path) => !made.has(path)).map((path) => `${path} is made by no generator`));
  }
  return orphans;
}

function firstDifference(committed: string, made: string): string {
  const before = committed.split("\n");
  const after = made.split("\n");
  const index = after.findIndex((line, at) => line !== before[at]);
  const line = index === -1 ? after.length : index + 1;
  return `${line} is "${before[line - 1] ?? "(end)"}", the code makes "${after[line - 1] ?? "(end)"}"`;
}

function isGenerator(module: unknown): module is { generate: () => Promise<GeneratedFile[]> } {
  return (
    typeof module === "object" &&
    module !== null &&
    "generate" in module &&
    typeof module.generate === "function"
  );
}
