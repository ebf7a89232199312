import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";

/** Where one build lives: everything of it goes when its directory does. */
export interface BuildPlace {
  /** The copy of the source, in which the command runs and which becomes the release. */
  files: string;
  /** HOME of the command: what it keeps there is no part of the release. */
  home: string;
  log: string;
}

/** The directories of builds, `<root>/<id>/`. They are removed in one place and by one rule: see `sweep`. */
export function createStaging(root: string) {
  /** Being filled: nothing else knows of them yet. */
  const filling = new Set<string>();

  function placeOf(id: string): BuildPlace {
    const at = (name: string) => path.join(root, id, name);
    return { files: at("files"), home: at("home"), log: at("log") };
  }

  return {
    placeOf,
    /** Makes a build's directory and keeps it from being swept until `use` has ended. */
    async fill<Result>(id: string, use: (place: BuildPlace) => Promise<Result>): Promise<Result> {
      filling.add(id);
      try {
        const place = placeOf(id);
        await mkdir(root, { recursive: true, mode: 0o700 });
        await mkdir(place.home, { recursive: true, mode: 0o700 });
        return await use(place);
      } finally {
        filling.delete(id);
      }
    },
    /** Removes every directory whose build is over: that nobody needs, and in which nothing runs any more. */
    async sweep(isNeeded: (id: string) => boolean): Promise<void> {
      for (const id of await readdir(root).catch(() => [])) {
        if (!filling.has(id) && !isNeeded(id))
          await rm(path.join(root, id), { recursive: true, force: true });
      }
    },
  };
}
