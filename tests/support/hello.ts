import { cp, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { readYaml } from "@mainstay/api";

const EXAMPLE = fileURLToPath(new URL("../../examples/hello/", import.meta.url));
const ADDED = fileURLToPath(new URL("hello/", import.meta.url));

/** A service file as data, as far as the tests alter it. */
export interface ServiceFileText {
  service: string;
  processes: { web: { command: string } & Record<string, unknown> };
  env?: Record<string, unknown>;
  rollout: Record<string, unknown>;
  [key: string]: unknown;
}

export interface Variation {
  rollout?: Record<string, unknown>;
  web?: Record<string, unknown>;
  env?: Record<string, unknown>;
  /** Anything else at the top of the file. */
  more?: Record<string, unknown>;
}

/** A working copy of examples/hello. */
export interface Hello {
  directory: string;
  /** Writes `<name>` as a variation of one of the example's service files; answers the name. */
  write(name: string, base: string, variation?: Variation): Promise<string>;
}

/** Asked often, so that a gate is passed within a second. */
const HEALTH = { path: "/healthz", interval: "250ms" };

/** Little traffic at each weight; what the judge asks for is not shortened. */
export const SHORT_ROLLOUT = {
  stages: [
    { weight: "10%", bake: "500ms" },
    { weight: "25%", bake: "500ms" },
    { weight: "50%", bake: "500ms" },
    { weight: "100%" },
  ],
  keepWarm: "5s",
};

/** Goes through its stages by the clock: for tests of what happens on the way, not of the judge. */
export const UNJUDGED_ROLLOUT = { ...SHORT_ROLLOUT, judge: { onTooLittleEvidence: "advance" } };

/** Copies examples/hello to `<directory>/<name>`, with answers that say which release gave them. */
export async function copyHello(directory: string, name = "hello"): Promise<Hello> {
  const copy = path.join(directory, name);
  await cp(EXAMPLE, copy, { recursive: true });
  await cp(ADDED, copy, { recursive: true });
  return {
    directory: copy,
    async write(file, base, { rollout = SHORT_ROLLOUT, web = {}, env = {}, more = {} } = {}) {
      const original = readYaml(await readFile(path.join(EXAMPLE, base), "utf8"), base) as ServiceFileText;
      const command = original.processes.web.command.replace("node ", "node --import ./traced.mjs ");
      const varied = {
        ...original,
        processes: { web: { ...original.processes.web, command, health: HEALTH, ...web } },
        env: { ...original.env, ...env },
        rollout,
        ...more,
      };
      // JSON is YAML too.
      await writeFile(path.join(copy, file), JSON.stringify(varied, null, 2));
      return file;
    },
  };
}
