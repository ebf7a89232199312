import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Uploads } from "../uploads/index.ts";

const DIRECTORY = "inputs";

export interface TaskInputsDependencies {
  dataDirectory: string;
  uploads: Pick<Uploads, "consume">;
}

/** Where a command that runs once finds its standard input, if it has one. */
export function taskInputFile(dataDirectory: string, id: string): string {
  return path.join(dataDirectory, DIRECTORY, id);
}

/** What commands find on standard input: whole files, taken in before the command starts. */
export function createTaskInputs({ dataDirectory, uploads }: TaskInputsDependencies) {
  const fileOf = (id: string) => taskInputFile(dataDirectory, id);
  const directory = path.join(dataDirectory, DIRECTORY);

  return {
    /** Makes a complete upload the input of a task; answers its size. */
    async take(id: string, upload: string): Promise<number> {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      return uploads.consume(upload, async (archive) => {
        const { size } = await stat(archive);
        await rename(archive, fileOf(id));
        return size;
      });
    },
    remove: (id: string) => rm(fileOf(id), { force: true }),
    /** The tasks whose input was taken in before a time. */
    async takenBefore(time: Date): Promise<string[]> {
      const names = await readdir(directory).catch(() => []);
      const taken = await Promise.all(names.map((name) => stat(fileOf(name)).catch(() => null)));
      return names.filter((_, index) => (taken[index]?.ctimeMs ?? Infinity) < time.getTime());
    },
  };
}
export type TaskInputs = ReturnType<typeof createTaskInputs>;
