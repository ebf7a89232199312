import path from "node:path";
import { fileURLToPath } from "node:url";
import { installDependencies } from "../../cli/src/demo/payload.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));

/** A real application below examples/, with its dependencies. */
export interface Example {
  directory: string;
  /** Why it cannot be had, for the test to be passed over with; null when it is there. */
  missing: string | null;
}

/** Installs an example from its lock file, once; npm asks its registry only for what its cache has not. */
export async function prepareExample(name: string): Promise<Example> {
  const directory = path.join(EXAMPLES, name);
  try {
    await installDependencies(directory);
    return { directory, missing: null };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      directory,
      missing: `examples/${name} needs the npm registry once, and npm could not install it: ${reason}`,
    };
  }
}
