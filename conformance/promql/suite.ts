import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Suite } from "../suite.ts";
import { runScript } from "./run-script.ts";

/**
 * Each `eval` of the files is a case: asked as written,
 * with `@` at other moments, and as the middle of a range.
 */
export const suite: Suite = {
  about: "Prometheus' own tests of PromQL against our evaluator",
  data: "promql",
  async run({ dataFolder }) {
    const files = (await readdir(dataFolder)).filter((file) => file.endsWith(".test")).toSorted();
    const results = [];
    for (const file of files)
      results.push(...(await runScript(file, await readFile(join(dataFolder, file), "utf8"))));
    return results;
  },
};
