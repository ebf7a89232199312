import { createRequire } from "node:module";

interface Manifest {
  version: string;
}

/** The version in the server's package.json. */
export const VERSION = (createRequire(import.meta.url)("../package.json") as Manifest).version;
